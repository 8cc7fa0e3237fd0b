"""Plans applied to real cells: values, memory, the file's safety, and all-or-nothing."""

from __future__ import annotations

import copy
import gc
import hashlib
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn
from stand_in.tiny.network import TinyNet

from zoohub.checkpoint import open_checkpoint, plan_apply, write_ckpt, write_pth, write_safetensors
from zoohub.checkpoint.cell import apply_plan, table_of
from zoohub.errors import CheckpointMismatch, ZoohubError
from zoohub.framework import version_tuple
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks import loading
from zoohub.networks.family import Family
from zoohub.networks.options import NetworkOptions


class Halves(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.weight = ms.Parameter(ms.Tensor(np.zeros((2, 3)), ms.bfloat16))
        self.scalar = ms.Parameter(ms.Tensor(0.0, ms.float32))
        self.count = ms.Parameter(ms.Tensor([0, 0], ms.int32))


pytestmark = pytest.mark.usefixtures("tiny_family")

SPEC = NetworkSpec("tiny", {"num_classes": 5})
INPUT = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)


@pytest.fixture
def values() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        name: rng.uniform(0.5, 1.5, info.shape).astype(np.float32)
        for name, info in table_of(TinyNet()).items()
    }


@pytest.fixture
def file(tmp_path: Path, values: dict[str, np.ndarray]) -> Path:
    return write_ckpt(tmp_path / "tiny.ckpt", values)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def state(net: nn.Cell) -> dict[str, np.ndarray]:
    return {p.name: p.asnumpy().copy() for p in net.get_parameters()}


def same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[n], right[n]) for n in left)


def train(net: nn.Cell, steps: int = 2) -> None:
    optimiser = nn.Momentum(net.trainable_params(), 0.1, 0.9)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.CrossEntropyLoss()), optimiser)
    step.set_train()
    for _ in range(steps):
        step(ms.Tensor(INPUT), ms.Tensor([1, 2], ms.int32))


@pytest.mark.parametrize("write", [write_ckpt, write_safetensors, write_pth])
def test_a_network_has_exactly_the_files_values(
    write: Callable[..., Path], tmp_path: Path, values: dict[str, np.ndarray]
) -> None:
    net, report = loading.create_network(SPEC, write(tmp_path / "weights", values))
    assert same(state(net), values)
    assert report is not None
    assert report.complete
    assert report.loaded == tuple(values)
    assert not net.training


def test_loaded_weights_compute_what_mindspores_own_loader_computes(
    file: Path, values: dict[str, np.ndarray]
) -> None:
    net, _ = loading.create_network(SPEC, file)
    peer = TinyNet()
    ms.load_param_into_net(peer, ms.load_checkpoint(str(file)), strict_load=True)
    peer.set_train(False)
    x = ms.Tensor(INPUT)
    assert np.array_equal(net(x).asnumpy(), peer(x).asnumpy())


@pytest.mark.parametrize("write", [write_ckpt, write_pth])
def test_parameters_are_the_published_file_itself_mapped(
    write: Callable[..., Path], tmp_path: Path, values: dict[str, np.ndarray]
) -> None:
    weights = open_checkpoint(write(tmp_path / "weights", values), published=True)
    if not (weights["fc.bias"].flags.aligned or version_tuple(ms.__version__) >= (2, 8)):
        pytest.skip("MindSpore 2.7 takes aligned data only")
    net, _ = loading.create_network(SPEC, weights)
    weights["fc.bias"][:] = 7.0
    assert (net.fc.bias.asnumpy() == 7.0).all()


def test_the_map_outlives_the_weights_object(file: Path, values: dict[str, np.ndarray]) -> None:
    net, _ = loading.create_network(SPEC, file)
    gc.collect()
    junk = [np.random.default_rng(i).bytes(1 << 16) for i in range(64)]
    assert same(state(net), values)
    del junk


@pytest.mark.parametrize("write", [write_ckpt, write_safetensors, write_pth])
def test_training_changes_the_network_and_never_the_file(
    write: Callable[..., Path], tmp_path: Path, values: dict[str, np.ndarray]
) -> None:
    file = write(tmp_path / "weights", values)
    file.chmod(0o444)
    before = digest(file)
    net, _ = loading.create_network(SPEC, file)
    net.set_train()
    train(net)
    after = state(net)
    assert not np.array_equal(after["fc.weight"], values["fc.weight"])
    assert not np.array_equal(after["bn.moving_mean"], values["bn.moving_mean"])
    assert digest(file) == before
    assert same(state(loading.create_network(SPEC, file)[0]), values)


def test_two_networks_from_one_opened_file_do_not_share_memory(
    file: Path, values: dict[str, np.ndarray]
) -> None:
    weights = open_checkpoint(file)
    first, _ = loading.create_network(SPEC, weights)
    second, _ = loading.create_network(SPEC, weights)
    train(first)
    assert same(state(second), values)


def test_another_number_of_classes_replaces_the_head_only(
    file: Path, values: dict[str, np.ndarray]
) -> None:
    net, report = loading.create_network(SPEC, file, NetworkOptions(num_classes=3))
    assert report is not None
    assert report.replaced == ("fc.weight", "fc.bias")
    assert set(report.left_out) == {"fc.weight", "fc.bias"}
    assert net.fc.weight.shape == (3, 4)
    assert np.ptp(net.fc.weight.asnumpy()) > 0
    assert not net.fc.weight.has_init
    assert np.array_equal(net.conv.weight.asnumpy(), values["conv.weight"])
    assert net(ms.Tensor(INPUT)).shape == (2, 3)


def test_a_replaced_head_is_drawn_from_its_own_initialiser(file: Path) -> None:
    ms.set_seed(3)
    expected = nn.Dense(4, 3).weight.asnumpy().std()
    net, _ = loading.create_network(SPEC, file, NetworkOptions(num_classes=3))
    assert 0.2 < net.fc.weight.asnumpy().std() / expected < 5


def test_the_same_number_of_classes_keeps_the_head(file: Path) -> None:
    _, report = loading.create_network(SPEC, file, NetworkOptions(num_classes=5))
    assert report is not None
    assert report.replaced == ()


@pytest.mark.parametrize("channels", [1, 2, 4, 6])
def test_another_number_of_channels_adapts_the_stem_and_says_so(
    file: Path, values: dict[str, np.ndarray], channels: int
) -> None:
    net, report = loading.create_network(SPEC, file, NetworkOptions(in_channels=channels))
    assert report is not None
    assert report.replaced == ()
    assert [m.name for m in report.adapted] == ["conv.weight"]
    assert "1 adapted to the input channels asked for: conv.weight (file (4, 3, 3, 3), netw" in str(
        report
    )
    found = net.conv.weight.asnumpy()
    assert found.shape == (4, channels, 3, 3)
    if channels == 1:
        np.testing.assert_allclose(found, values["conv.weight"].sum(1, keepdims=True), rtol=1e-6)
    else:
        expected = values["conv.weight"][:, np.arange(channels) % 3] * 3 / channels
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_grey_picture_gives_with_one_channel_what_it_gave_with_three(file: Path) -> None:
    grey = np.random.default_rng(0).standard_normal((2, 1, 8, 8)).astype(np.float32)
    one, _ = loading.create_network(SPEC, file, NetworkOptions(in_channels=1))
    three, _ = loading.create_network(SPEC, file)
    expected = three(ms.Tensor(np.repeat(grey, 3, axis=1))).asnumpy()
    np.testing.assert_allclose(one(ms.Tensor(grey)).asnumpy(), expected, rtol=1e-4, atol=1e-5)


def test_features_leave_the_files_head_out(file: Path) -> None:
    net, report = loading.create_network(SPEC, file, NetworkOptions(features_only=True))
    assert report is not None
    assert set(report.left_out) == {"fc.weight", "fc.bias"}
    assert len(net(ms.Tensor(INPUT))) == 1


def test_without_weights_all_parameters_are_initialised() -> None:
    net, report = loading.create_network(SPEC, None)
    assert report is None
    assert all(not p.has_init for p in net.get_parameters())
    assert np.ptp(net.fc.weight.asnumpy()) > 0


def test_names_of_another_scheme_are_detected(tmp_path: Path, values: dict[str, Any]) -> None:
    old = {
        name.replace("fc.", "classifier.").replace("conv.", "stem."): v
        for name, v in values.items()
    }
    net, report = loading.create_network(SPEC, write_ckpt(tmp_path / "old.ckpt", old))
    assert report is not None
    assert report.renamed == {
        "stem.weight": "conv.weight",
        "classifier.weight": "fc.weight",
        "classifier.bias": "fc.bias",
    }
    assert same(state(net), values)


def test_a_mismatch_leaves_the_network_as_it_was(
    tmp_path: Path, values: dict[str, np.ndarray]
) -> None:
    net = TinyNet()
    before = state(net)
    bad = {**values, "fc.bias": np.ones(9, np.float32)}
    weights = open_checkpoint(write_ckpt(tmp_path / "bad.ckpt", bad))
    with pytest.raises(CheckpointMismatch, match=r"1 misshapen: fc\.bias \(file \(9,\), network"):
        loading.load_into(net, weights, SPEC)
    assert same(state(net), before)


def test_a_value_that_cannot_be_converted_leaves_the_network_as_it_was(tmp_path: Path) -> None:
    net = Halves()
    before = {n: v for n, v in state(net).items() if n != "weight"}
    file = write_ckpt(
        tmp_path / "wide.ckpt",
        {
            "weight": np.ones((2, 3), np.float32),
            "scalar": np.float32(2),
            "count": np.array([1, 2**40]),
        },
    )
    weights = open_checkpoint(file)
    plan = plan_apply(table_of(net), weights.table())
    with pytest.raises(CheckpointMismatch, match="'count' has values"):
        apply_plan(net, plan, weights)
    assert all(np.array_equal(state(net)[n], v) for n, v in before.items())


def test_a_plan_for_another_network_is_refused(file: Path) -> None:
    weights = open_checkpoint(file)
    plan = plan_apply(table_of(TinyNet()), weights.table())
    with pytest.raises(CheckpointMismatch, match="made for another network"):
        apply_plan(TinyNet(num_classes=6), plan, weights)


def test_types_are_converted_and_reported(tmp_path: Path) -> None:
    net = Halves()
    file = write_ckpt(
        tmp_path / "f.ckpt",
        {
            "weight": np.full((2, 3), 1.5, np.float32),
            "scalar": np.float16(2.5),
            "count": np.array([1, 2]),
        },
    )
    weights = open_checkpoint(file)
    plan = plan_apply(table_of(net), weights.table())
    apply_plan(net, plan, weights)
    assert [str(c) for c in plan.report.cast] == [
        "weight (float32 to bfloat16)",
        "scalar (float16 to float32)",
        "count (int64 to int32)",
    ]
    assert net.weight.dtype == ms.bfloat16
    assert (net.weight.astype(ms.float32).asnumpy() == 1.5).all()
    assert net.scalar.asnumpy() == 2.5
    assert net.scalar.shape == ()
    assert net.count.asnumpy().tolist() == [1, 2]


def test_bfloat16_goes_in_without_conversion(tmp_path: Path) -> None:
    net = Halves()
    net.weight.set_data(ms.Tensor(np.arange(6).reshape(2, 3), ms.bfloat16))
    ms.save_checkpoint(net, str(tmp_path / "half.ckpt"))
    other = Halves()
    weights = open_checkpoint(tmp_path / "half.ckpt")
    plan = plan_apply(table_of(other), weights.table())
    apply_plan(other, plan, weights)
    assert plan.report.cast == ()
    assert other.weight.astype(ms.float32).asnumpy().ravel().tolist() == [0, 1, 2, 3, 4, 5]


def test_copies_and_pickles_of_a_network_keep_the_loaded_values(
    file: Path, values: dict[str, np.ndarray]
) -> None:
    net, _ = loading.create_network(SPEC, file)
    assert np.array_equal(copy.deepcopy(net.fc.weight).asnumpy(), values["fc.weight"])
    assert np.array_equal(pickle.loads(pickle.dumps(net.fc.weight)).asnumpy(), values["fc.weight"])


def test_what_does_not_fit_is_logged_when_not_strict(
    tmp_path: Path, values: dict[str, np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    del values["bn.gamma"]
    values["extra"] = np.ones(3, np.float32)
    values["fc.bias"] = np.ones(9, np.float32)
    file = write_ckpt(tmp_path / "odd.ckpt", values)
    net, report = loading.create_network(SPEC, file, NetworkOptions(strict=False))
    assert report is not None
    assert not report.complete
    assert (report.missing, report.unexpected) == (("bn.gamma",), ("extra",))
    assert [m.name for m in report.misshapen] == ["fc.bias"]
    assert "1 MISSING" in caplog.text
    assert (net.bn.gamma.asnumpy() == 1).all()


def test_the_switches_are_restored_when_a_builder_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> nn.Cell:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(Family, "load", lambda self: broken)
    with pytest.raises(RuntimeError, match="no such thing"):
        loading.build(SPEC, initialise=False)
    assert not nn.Dense(2, 2).weight.has_init


def test_threads_that_load_and_construct_do_not_disturb_each_other(
    file: Path, values: dict[str, np.ndarray]
) -> None:
    wrong: list[str] = []

    def load() -> None:
        if not same(state(loading.create_network(SPEC, file)[0]), values):
            wrong.append("loaded")

    def construct() -> None:
        net, _ = loading.create_network(SPEC, None)
        if any(p.has_init for p in net.get_parameters()):
            wrong.append("constructed")

    threads = [threading.Thread(target=target) for target in (load, construct) * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 3}, "takes no argument 'depth'; it takes features_only, in_channels"),
        ({"features_only": 3}, "features_only=3 should be bool"),
    ],
)
def test_arguments_the_builder_does_not_take_are_refused(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ZoohubError, match=message):
        loading.build(SPEC, **arguments)


@pytest.mark.parametrize("number", [0, -1, 2.5, True])
def test_a_number_of_classes_is_a_positive_whole_number(number: Any) -> None:
    with pytest.raises(ZoohubError, match="a whole number above 0"):
        loading.create_network(SPEC, None, NetworkOptions(num_classes=number))


def test_half_precision_computes_in_float16(file: Path) -> None:
    net, _ = loading.create_network(SPEC, file, NetworkOptions(dtype="float16"))
    full, _ = loading.create_network(SPEC, file)
    x = ms.Tensor(INPUT)
    out, exact = net(x).asnumpy().astype(np.float32), full(x).asnumpy()
    assert not np.array_equal(out, exact)
    assert np.allclose(out, exact, rtol=2e-2)


def test_an_unknown_precision_is_refused(file: Path) -> None:
    with pytest.raises(ZoohubError, match="choose float32, float16 or bfloat16"):
        loading.create_network(SPEC, file, NetworkOptions(dtype="int8"))
