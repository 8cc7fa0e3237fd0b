"""Weights files: exported, converted there and back, and read by their own libraries."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoohub
from zoohub.checkpoint import load_weights, open_checkpoint, write_ckpt, write_pth
from zoohub.errors import ExportError
from zoohub.exporting import (
    convert_file,
    export_network,
    export_with_report,
    read_metadata,
    weights,
)

FORMATS = ("ckpt", "safetensors", "pth")


def bits(path: Path) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    weights = open_checkpoint(path)
    return {
        name: (info.dtype, info.shape, weights.raw(name).tobytes())
        for name, info in weights.table().items()
    }


@pytest.fixture
def odd_file(tmp_path: Path) -> Path:
    """Every kind of array a checkpoint may hold: bfloat16, float16, integers, scalars, none."""
    from mindspore.common import np_dtype

    rng = np.random.default_rng(0)
    arrays = {
        "w": rng.standard_normal((3, 4)).astype(np.float32),
        "brain": rng.standard_normal(6).astype(np_dtype.bfloat16),
        "half": rng.standard_normal((2, 1)).astype(np.float16),
        "count": np.array(7, np.int64),
        "flags": np.array([True, False]),
        "empty": np.zeros((0, 3), np.float32),
        "special": np.array([np.nan, -0.0, np.inf], np.float64),
    }
    return write_ckpt(tmp_path / "odd.ckpt", arrays)


@pytest.mark.parametrize("there", FORMATS[1:])
def test_a_conversion_there_and_back_keeps_every_bit(there: str, odd_file: Path) -> None:
    before = bits(odd_file)
    assert before["brain"][0] == "bfloat16"
    middle = convert_file(odd_file, there).path
    assert middle.suffix == f".{there}"
    back = convert_file(middle, "ckpt", odd_file.with_name("back.ckpt"))
    assert bits(back.path) == before
    assert (back.tensors, back.renamed, back.left_out) == (7, 0, ())


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        "resnet18",
        "mobilenet_v2_035_128",
        pytest.param("resnet50", marks=pytest.mark.every),
    ],
)
def test_torchvisions_names_there_and_back_keep_every_bit(
    model: str, load: Callable[..., Any], tmp_path: Path
) -> None:
    own = export_network(load(model), tmp_path / "own.ckpt")
    there = convert_file(own, "torchvision", tmp_path / "there.pth")
    assert there.renamed > 50
    names = set(open_checkpoint(there.path))
    assert {"resnet18": "fc.weight", "resnet50": "layer4.0.downsample.1.running_var"}.get(
        model, "features.17.conv.2.weight"
    ) in names
    back = convert_file(there.path, "mindcv", tmp_path / "back.ckpt")
    assert bits(back.path) == bits(own)


@pytest.mark.slow
def test_what_pytorch_counts_is_left_out_on_the_way_back(
    load: Callable[..., Any], tmp_path: Path
) -> None:
    own = export_network(load("resnet18"), tmp_path / "own.ckpt")
    there = open_checkpoint(convert_file(own, "torchvision", tmp_path / "there.ckpt").path)
    arrays = {**there, "bn1.num_batches_tracked": np.array(5, np.int64)}
    write_ckpt(tmp_path / "more.ckpt", arrays)
    back = convert_file(tmp_path / "more.ckpt", "mindcv")
    assert back.path == tmp_path / "more.mindcv.ckpt"
    assert back.left_out == ("bn1.num_batches_tracked",)
    assert bits(back.path) == bits(own)


@pytest.mark.parametrize("format", ["pth", "safetensors"])
def test_an_exported_weights_file_loads_again_and_says_whose_names_it_has(
    format: str, load: Callable[..., Any], tmp_path: Path
) -> None:
    net = load("mobilenet_v2_035_128")
    path = export_network(net, tmp_path / f"net.{format}")
    metadata = read_metadata(path)
    assert (metadata.model, metadata.parameters) == ("mobilenet_v2_035_128", "torchvision")
    again = load("mobilenet_v2_035_128", checkpoint=path)
    for one, other in zip(net.get_parameters(), again.get_parameters(), strict=True):
        np.testing.assert_array_equal(one.asnumpy(), other.asnumpy())


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_weights_file_is_read_again_where_a_check_is_asked_for(
    suffix: str, digits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = export_with_report(digits, tmp_path / f"exact.{suffix}", check=True)
    assert len(exact.differences) == len(list(digits.get_parameters()))
    assert exact.difference is not None
    assert exact.difference.value == 0
    half = export_with_report(digits, tmp_path / f"half.{suffix}", check=True, dtype="float16")
    assert half.difference is not None
    assert 0 < half.difference.value < 1e-3
    write = weights.write_weights

    def damage(path: Path, arrays: Any, *rest: Any) -> None:
        first = next(iter(arrays))
        write(path, {**arrays, first: arrays[first] + 1}, *rest)

    monkeypatch.setattr(weights, "write_weights", damage)
    with pytest.raises(ExportError, match=r"does not hold conv1\.weight as it was written"):
        export_with_report(digits, tmp_path / f"damaged.{suffix}", check=True)
    assert not (tmp_path / f"damaged.{suffix}").exists()


def test_own_names_can_be_asked_for_and_others_keep_their_own(
    digits: Any, load: Callable[..., Any], tmp_path: Path
) -> None:
    net = load("resnet18")
    export = export_with_report(net, tmp_path / "own.safetensors", names="own")
    assert export.metadata.parameters == "own"
    assert set(open_checkpoint(export.path)) == {p.name for p in net.get_parameters()}
    plain = export_with_report(digits, tmp_path / "digits.pth")
    assert plain.metadata.parameters == "own"
    with pytest.raises(ExportError, match="torchvision has no network"):
        export_network(digits, tmp_path / "digits.pth", names="torchvision")


def test_where_torchvision_computes_otherwise_the_file_says_so(
    load: Callable[..., Any], tmp_path: Path
) -> None:
    export = export_with_report(load("resnet18"), tmp_path / "a.pth")
    assert export.metadata.note is not None
    assert "ceil_mode=True" in export.metadata.note


@pytest.mark.parametrize("format", ["pth", "safetensors"])
@pytest.mark.parametrize("names", ["torchvision", "own"])
def test_an_exported_file_is_not_taken_for_one_that_torchvision_trained(
    format: str,
    names: str,
    load: Callable[..., Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = export_network(load("squeezenet1_1"), tmp_path / f"net.{format}", names=names)
    load("squeezenet1_1", checkpoint=path)
    assert not caplog.records
    theirs = tmp_path / "theirs.pth"
    write_pth(theirs, open_checkpoint(path))
    load("squeezenet1_1", checkpoint=theirs)
    assert "pool_rounding='up'" in caplog.text


def test_half_precision_weights_are_half_the_size(digits: Any, tmp_path: Path) -> None:
    path = export_network(digits, tmp_path / "half.safetensors", dtype="float16")
    assert {info.dtype for info in open_checkpoint(path).table().values()} == {"float16"}


def test_what_half_precision_has_no_room_for_stays_as_it_is(tmp_path: Path) -> None:
    net = zoohub.load("lenet5@digits", pretrained=True, offline=True)
    parameter = next(p for p in net.get_parameters() if p.name == "fc3.bias")
    parameter.set_data(parameter + 1e6)
    infinite = next(p for p in net.get_parameters() if p.name == "fc2.bias")
    infinite.set_data(infinite + float("inf"))  # infinite already: float16 has that too
    done = export_with_report(net, tmp_path / "wide.ckpt", check=True, dtype="float16")
    assert done.metadata.note == "fc3.bias is too large for float16 and not converted"
    arrays = load_weights(done.path)
    assert {n for n, array in arrays.items() if array.dtype != np.float16} == {"fc3.bias"}
    np.testing.assert_array_equal(arrays["fc3.bias"], parameter.asnumpy())


def test_a_conversion_that_has_no_sense_is_refused(digits: Any, tmp_path: Path) -> None:
    path = export_network(digits, tmp_path / "a.ckpt")
    with pytest.raises(ExportError, match="neither a format"):
        convert_file(path, "pytorch")
    with pytest.raises(ExportError, match="cannot be put into the scheme 'torchvision'"):
        convert_file(path, "torchvision")
    with pytest.raises(ExportError, match="into itself"):
        convert_file(path, "ckpt")
    with pytest.raises(ExportError, match="another format"):
        convert_file(path, "pth", tmp_path / "b.ckpt")
    copy = shutil.copy(path, tmp_path / "copy.ckpt")
    before = Path(copy).read_bytes()
    with pytest.raises(ExportError):
        convert_file(copy, "torchvision")
    assert Path(copy).read_bytes() == before


def test_fused_tensors_are_not_given_another_schemes_names(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.pth"
    write_pth(theirs, {"layers.0.blocks.0.attn.qkv.weight": np.zeros((6, 2), np.float32)})
    with pytest.raises(ExportError, match=r"attn\.qkv\.weight is one tensor of which swin_tr"):
        convert_file(theirs, "mindcv", family="swin_transformer")
    assert not theirs.with_suffix(".mindcv.pth").exists()
