"""`zoohub.load` from a name to a network, its file fetched over real HTTP."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

import zoohub
from zoohub.checkpoint import load_weights, write_ckpt
from zoohub.errors import (
    CheckpointCorrupt,
    CheckpointMismatch,
    IncompatibleMindSpore,
    IntegrityError,
    NetworkNotAvailable,
    OfflineError,
    UnknownModel,
    UsageError,
    ZoohubError,
)

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("mindspore") is None, reason="needs MindSpore"),
    pytest.mark.usefixtures("with_zoo"),
]


def values(net: object) -> dict[str, np.ndarray]:
    return {p.name: p.asnumpy() for p in net.get_parameters()}  # type: ignore[attr-defined]


@pytest.mark.smoke
def test_a_name_becomes_a_network_with_its_published_weights(zoo: Path) -> None:
    net = zoohub.load("tinynet", pretrained=True, progress=False)
    published = load_weights(zoo / "tinynet.ckpt")
    loaded = values(net)
    assert list(loaded) == list(published)
    for name, array in published.items():
        np.testing.assert_array_equal(loaded[name], array)
    assert not net.training
    assert net.zoohub.entry.model == "tinynet"
    assert net.zoohub.path.is_file()
    assert net.zoohub.report.loaded == tuple(published)
    assert net.zoohub.report.complete


def test_a_new_number_of_classes_replaces_the_head_only(zoo: Path) -> None:
    net = zoohub.load("tinyres", pretrained=True, num_classes=10, progress=False)
    published = load_weights(zoo / "tinyres.ckpt")
    loaded = values(net)
    report = net.zoohub.report
    assert report.replaced == ("classifier.weight", "classifier.bias")
    assert loaded["classifier.weight"].shape == (10, 512)
    assert np.isfinite(loaded["classifier.weight"]).all()
    assert loaded["classifier.weight"].std() > 0
    assert len(report.loaded) == len(loaded) - 2
    np.testing.assert_array_equal(loaded["layer4.1.bn2.gamma"], published["layer4.1.bn2.gamma"])
    assert net.zoohub.classes is None


def test_other_input_channels_adapt_the_first_convolution() -> None:
    net = zoohub.load("tinyres", pretrained=True, in_channels=4, progress=False)
    assert net.zoohub.report.replaced == ()
    assert [m.name for m in net.zoohub.report.adapted] == ["conv1.weight"]
    assert values(net)["conv1.weight"].shape[1] == 4


def test_features_come_from_the_stages_asked_for() -> None:
    import mindspore as ms

    net = zoohub.load(
        "tinyres", pretrained=True, features_only=True, out_indices=(1, 4), progress=False
    )
    maps = net(ms.ops.zeros((1, 3, 64, 64)))
    assert [m.shape for m in maps] == [(1, 64, 16, 16), (1, 512, 2, 2)]
    assert all(name.startswith("classifier") for name in net.zoohub.report.left_out)


def test_own_weights_are_loaded_by_path(zoo: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.ckpt"
    arrays = {n: a + 1 for n, a in load_weights(zoo / "tinynet.ckpt").items()}
    write_ckpt(mine, arrays)
    net = zoohub.load("tinynet", checkpoint=mine)
    np.testing.assert_array_equal(values(net)["fc1.bias"], arrays["fc1.bias"])
    assert net.zoohub.checkpoint is None


def test_without_weights_the_network_is_initialised_anew() -> None:
    first, second = (values(zoohub.load("tinynet"))["fc1.weight"] for _ in range(2))
    assert first.std() > 0
    assert not np.array_equal(first, second)


def test_pretrained_and_own_weights_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        zoohub.load("tinynet", pretrained=True, checkpoint="x.ckpt")


def test_a_missing_and_an_unexpected_parameter_are_named(zoo: Path, tmp_path: Path) -> None:
    arrays = load_weights(zoo / "tinynet.ckpt")
    arrays["fc9.weight"] = arrays.pop("fc2.weight")
    write_ckpt(tmp_path / "odd.ckpt", arrays)
    with pytest.raises(CheckpointMismatch) as caught:
        zoohub.load("tinynet", checkpoint=tmp_path / "odd.ckpt")
    assert "1 missing: fc2.weight" in str(caught.value)
    assert "1 unexpected: fc9.weight" in str(caught.value)


def test_an_unknown_network_argument_is_named() -> None:
    with pytest.raises(ZoohubError, match="takes no argument 'colour'"):
        zoohub.load("tinynet", colour="red")


def test_a_damaged_file_is_corrupt(zoo: Path, tmp_path: Path) -> None:
    data = (zoo / "tinynet.ckpt").read_bytes()
    (tmp_path / "cut.ckpt").write_bytes(data[: len(data) // 2])
    with pytest.raises(CheckpointCorrupt, match=r"cut\.ckpt"):
        zoohub.load("tinynet", checkpoint=tmp_path / "cut.ckpt")
    (tmp_path / "page.ckpt").write_bytes(b"<!DOCTYPE html><html>404</html>")
    with pytest.raises(CheckpointCorrupt, match="HTML"):
        zoohub.load("tinynet", checkpoint=tmp_path / "page.ckpt")


def test_other_bytes_than_declared_are_an_integrity_error_with_both_hashes(
    zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "zoo"
    shutil.copytree(zoo, copy)
    lie = "f" * 64
    text = (copy / "index.yaml").read_text()
    honest = text.split("sha256: ")[1].split()[0]
    (copy / "index.yaml").write_text(text.replace(honest, lie))
    monkeypatch.setenv("ZOOHUB_INDEX", str(copy / "index.yaml"))
    with pytest.raises(IntegrityError) as caught:
        zoohub.load("tinynet", pretrained=True, progress=False)
    assert lie in str(caught.value)
    assert honest in str(caught.value)
    blobs = Path(zoohub.api.load_settings().home) / "blobs"
    assert [p for p in blobs.rglob("*") if p.is_file()] == []


def test_offline_the_published_lenet_names_the_one_that_ships_with_zoohub() -> None:
    with pytest.raises(OfflineError, match="lenet5@digits"):
        zoohub.load("lenet5", pretrained=True, offline=True)
    assert zoohub.load("lenet5@digits", pretrained=True, offline=True).zoohub.report.complete


def test_a_checkpoint_of_a_newer_mindspore_says_so_before_it_is_fetched(
    zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (zoo / "index.yaml").read_text()
    (tmp_path / "index.yaml").write_text(
        text.replace("        format: ckpt\n", "        format: ckpt\n        mindspore: '3.1'\n")
    )
    monkeypatch.setenv("ZOOHUB_INDEX", str(tmp_path / "index.yaml"))
    with pytest.raises(IncompatibleMindSpore, match=r"tinynet@own was made with MindSpore 3\.1"):
        zoohub.load("tinynet", pretrained=True, offline=True)


def test_a_network_zoohub_lacks_says_what_can_be_done_with_its_file() -> None:
    with pytest.raises(NetworkNotAvailable, match="zoohub download openpose"):
        zoohub.load("openpose", pretrained=True, offline=True)
    with pytest.raises(NetworkNotAvailable, match="no checkpoint of it is published") as caught:
        zoohub.load("wan2_1")
    assert "zoohub download" not in str(caught.value)


def test_a_format_that_is_no_checkpoint_says_what_it_is_for() -> None:
    with pytest.raises(NetworkNotAvailable, match=r"Ascend inference.*yolov5s@mindyolo"):
        zoohub.load("yolov5s#om", pretrained=True, offline=True)


@pytest.fixture
def graphs(with_zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index whose model `graphnet` is the published tinynet as MINDIR, its first checkpoint
    sound, its second damaged."""
    import mindspore as ms

    net = zoohub.load("tinynet", pretrained=True, progress=False)
    file = tmp_path / "graph.mindir"
    ms.export(net, ms.ops.zeros((2, 1, 32, 32)), file_name=str(file), file_format="MINDIR")
    (tmp_path / "damaged.mindir").write_bytes(file.read_bytes()[:5000])
    blocks = [
        f"      {id}:\n        publisher: tests\n        format: mindir\n"
        f"        sha256: {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}\n"
        f"        sources: ['{(tmp_path / name).as_uri()}']\n"
        for id, name in (("whole", "graph.mindir"), ("damaged", "damaged.mindir"))
    ]
    index = tmp_path / "graphs.yaml"
    index.write_text(
        "family: graphs\ntask: image-classification\nmodels:\n  graphnet:\n"
        "    default: whole\n    checkpoints:\n" + "".join(blocks)
    )
    monkeypatch.setenv("ZOOHUB_INDEX", f"{index} {with_zoo / 'index.yaml'}")
    return index


@pytest.mark.usefixtures("graphs")
def test_a_mindir_is_a_graph_cell_that_predicts_what_the_network_does() -> None:
    import mindspore as ms

    graph = zoohub.load("graphnet", pretrained=True, progress=False)
    net = zoohub.load("tinynet", pretrained=True, progress=False)
    pictures = ms.Tensor(np.random.default_rng(0).normal(size=(2, 1, 32, 32)).astype(np.float32))
    np.testing.assert_allclose(graph(pictures).asnumpy(), net(pictures).asnumpy(), rtol=1e-5)
    assert graph.zoohub.checkpoint.reference == "graphnet@whole"
    with pytest.raises(UsageError, match="finished graph, which num_classes cannot change"):
        zoohub.load("graphnet", pretrained=True, num_classes=3, progress=False)


@pytest.mark.usefixtures("graphs")
def test_a_mindir_that_mindspore_cannot_read_is_corrupt() -> None:
    with pytest.raises(CheckpointCorrupt, match=r"graphnet@damaged: MindSpore .* cannot read"):
        zoohub.load("graphnet@damaged", pretrained=True, progress=False)


def test_a_path_is_not_taken_for_a_name() -> None:
    with pytest.raises(UnknownModel, match="checkpoint="):
        zoohub.load("./my.ckpt", pretrained=True)


def test_a_stored_file_is_hashed_again_when_asked(zoo: Path) -> None:
    path = zoohub.download("tinynet", progress=False)
    assert zoohub.download("tinynet", offline=True, verify=True) == path


@pytest.mark.parametrize("value", ["False", "no", "true", 1, None, "resnet"])
@pytest.mark.parametrize(
    "flag", ["pretrained", "ema", "features_only", "strict", "verify", "progress"]
)
def test_a_flag_is_true_or_false(flag: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"{flag}={value!r}: True or False is needed"):
        zoohub.load("tinynet", **{flag: value})


@pytest.mark.parametrize("path", ["./my.ckpt", "my.safetensors", Path("weights.pth"), "~/x.ckpt"])
def test_a_file_given_as_pretrained_is_pointed_to_its_place(path: object) -> None:
    with pytest.raises(UsageError, match="your own weights go to checkpoint="):
        zoohub.load("tinynet", pretrained=path)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["own_weights", "layout", "settings", "spec", "weights", "published", "initialise"]
)
def test_internal_names_are_no_arguments_of_a_network(name: str) -> None:
    with pytest.raises(UsageError, match=f"lenet takes no argument '{name}'"):
        zoohub.load("tinynet", **{name: 1})


@pytest.mark.parametrize("name", [None, 3, "", b"tinynet"])
def test_a_name_is_a_text_or_a_path(name: object) -> None:
    with pytest.raises(UsageError, match="is neither a model's name nor the path"):
        zoohub.load(name)  # type: ignore[arg-type]


def test_weights_of_ones_own_come_in_many_forms(
    zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(zoo / "tinynet.ckpt", tmp_path / "my.ckpt")
    data = (zoo / "tinynet.ckpt").read_bytes()
    arrays = load_weights(zoo / "tinynet.ckpt")
    first = zoohub.load("tinynet", checkpoint="~/my.ckpt")
    assert first.zoohub.path == tmp_path / "my.ckpt"
    for given in ("my.ckpt", Path("my.ckpt"), data, io.BytesIO(data), arrays, first):
        net = zoohub.load("tinynet", checkpoint=given)
        assert all(np.array_equal(values(net)[n], a) for n, a in arrays.items())
    first.fc1.bias.set_data(first.fc1.bias + 1)
    assert np.array_equal(values(net)["fc1.bias"], arrays["fc1.bias"])


def test_a_damaged_file_with_a_checksum_is_refused_wherever_it_is_read(
    zoo: Path, tmp_path: Path
) -> None:
    path = write_ckpt(tmp_path / "crc.ckpt", load_weights(zoo / "tinynet.ckpt"), crc=True)
    data = bytearray(path.read_bytes())
    data[5000] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(CheckpointCorrupt, match="the CRC"):
        zoohub.load("tinynet", checkpoint=path)
    with pytest.raises(CheckpointCorrupt, match="the CRC"):
        zoohub.load_weights(path)


def test_the_contract_and_the_classes_follow_the_network_as_it_is() -> None:
    from mindspore import nn

    net = zoohub.load("resnet18@mindcv")
    assert len(net.zoohub.classes) == 1000
    assert net.zoohub.input.channels == 3
    net.conv1 = nn.Conv2d(1, 64, 7, 2, "pad", 3)
    assert (net.zoohub.input.channels, net.zoohub.input.colour) == (1, "L")
    assert net.zoohub.input.mean == pytest.approx(
        (np.mean(zoohub.info("resnet18").checkpoint("mindcv").input.mean),)
    )
    net.classifier = nn.Dense(512, 7)
    assert net.zoohub.classes is None
    copied = pickle.loads(pickle.dumps(net.zoohub))
    assert copied.classes is None
    assert copied.input == net.zoohub.input


def test_a_head_of_the_same_size_put_in_has_classes_of_its_own() -> None:
    from mindspore import nn

    net = zoohub.load("resnet18@mindcv")
    net.classifier = nn.Dense(512, 1000)
    assert net.zoohub.classes is None


@pytest.mark.parametrize(("channels", "colour"), [(1, "L"), (3, "RGB"), (4, "RGB")])
def test_the_contract_has_the_channels_asked_for(channels: int, colour: str) -> None:
    net = zoohub.load("resnet18@mindcv", in_channels=channels)
    contract = net.zoohub.input
    assert (contract.channels, contract.colour) == (channels, colour)
    assert len(contract.mean) == len(contract.std) == channels
    assert len(net.zoohub.classes) == 1000


def test_a_network_without_a_head_has_no_classes() -> None:
    assert zoohub.load("resnet18@mindcv", features_only=True).zoohub.classes is None
