from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zoohub.errors import ExportError
from zoohub.exporting.request import plan_export
from zoohub.exporting.shapes import plan_shape, seeded_input
from zoohub.manifest.entry import InputContract

CONTRACT = InputContract(size=(224, 224), mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.2))


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        ("a.onnx", None, ("a.onnx", "onnx")),
        ("a.mindir", "mindir", ("a.mindir", "mindir")),
        ("a.pt", None, ("a.pt", "pth")),
        ("resnet50-mindcv", "onnx", ("resnet50-mindcv.onnx", "onnx")),
        ("a.b", "safetensors", ("a.b.safetensors", "safetensors")),
    ],
)
def test_the_suffix_names_the_format_and_the_format_gives_a_missing_suffix(
    path: str, given: str | None, expected: tuple[str, str]
) -> None:
    request = plan_export(path, format=given)
    assert (request.path, request.format) == (Path(expected[0]), expected[1])


def test_batch_norms_are_folded_by_default_where_the_format_is_a_graph_for_inference() -> None:
    assert plan_export("a.onnx").fold_bn
    assert plan_export("a.mindir").fold_bn
    assert not plan_export("a.onnx", fold_bn=False).fold_bn
    assert not plan_export("a.pth").fold_bn


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("a.txt", {}, "names no export format"),
        ("a", {}, "names no export format"),
        ("a.onnx", {"format": "mindir"}, "with the suffix .onnx"),
        ("a.onnx", {"dtype": "int8"}, "float32 or float16"),
        ("a.pth", {"dynamic": {"batch"}}, "holds weights only"),
        ("a.ckpt", {"fold_bn": True}, "holds weights only"),
        ("a.onnx", {"names": "own"}, "weights files"),
        ("a.mindir", {"nms": True}, "onnx file"),
        ("a.onnx", {"nms": True, "decode": False}, "decoded predictions"),
        ("a.onnx", {"quantize": "int4"}, "dynamic or static"),
        ("a.mindir", {"quantize": "dynamic"}, "onnx files"),
        ("a.onnx", {"quantize": "static"}, "go together"),
        ("a.onnx", {"quantize": "dynamic", "calibrate": "photos"}, "go together"),
        ("a.air", {"check": True}, "neither checked"),
        ("a.MINDIR", {}, "in small letters"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    path: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ExportError, match=message):
        plan_export(path, **options)


def test_the_models_own_size_and_the_networks_own_channels_are_the_default() -> None:
    shape = plan_shape(CONTRACT, channels=4)
    assert shape.array_shape() == (1, 4, 224, 224)
    assert shape.open_shape == (1, 4, 224, 224)


def test_open_dimensions_are_none_in_the_layout_of_the_input() -> None:
    contract = InputContract(size=(320, 640), layout="NHWC")
    shape = plan_shape(contract, channels=12, dynamic={"batch", "width"})
    assert shape.open_shape == (None, 320, None, 3)
    assert shape.axes == {0: "batch", 2: "width"}


def test_a_check_uses_shapes_that_differ_in_every_open_dimension() -> None:
    shape = plan_shape(CONTRACT, channels=3, dynamic={"batch", "height", "width"})
    assert shape.test_shapes() == ((1, 3, 224, 224), (3, 3, 288, 160))
    static = plan_shape(CONTRACT, channels=3, batch=2, size=(96, 64))
    assert static.test_shapes() == ((2, 3, 96, 64), (2, 3, 96, 64))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dynamic": {"depth"}}, "no axis depth"),
        ({"batch": 0}, "batch=0"),
        ({"size": (0, 5)}, "--size"),
    ],
)
def test_shapes_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ExportError, match=message):
        plan_shape(CONTRACT, channels=3, **options)


def test_a_network_of_unknown_size_needs_one() -> None:
    with pytest.raises(ExportError, match="--size HxW"):
        plan_shape(None, channels=3)


def test_test_inputs_are_normalised_as_the_contract_says() -> None:
    values = seeded_input((2, 3, 50, 50), CONTRACT, seed=0)
    assert values.min(axis=(0, 2, 3)) == pytest.approx([-2.5, -2.0, -1.5], abs=0.02)
    assert values.max(axis=(0, 2, 3)) == pytest.approx([2.5, 3.0, 3.5], abs=0.02)
    assert (values == seeded_input((2, 3, 50, 50), CONTRACT, seed=0)).all()
