"""Detectors: decoded or raw, and non-maximum suppression inside the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoohub.errors import ExportError
from zoohub.exporting import export_with_report
from zoohub.exporting.nms import append_nms, as_table
from zoohub.exporting.onnx_builder import OnnxBuilder, tensor_info
from zoohub.inference import open_runner
from zoohub.vision.detection import decoded_prediction, select_detections


def random_predictions(shape: tuple[int, ...], size: float, seed: int) -> Any:
    """Boxes in clusters, so that they overlap; scores from 0 to 1, no two alike."""
    rng = np.random.default_rng(seed)
    rows = rng.random(shape, dtype=np.float32)
    rows[..., :2] = (np.floor(rows[..., :2] * 4) / 4 + rows[..., :2] / 20 + 0.1) * size
    rows[..., 2:4] = (0.1 + 0.1 * rows[..., 2:4]) * size
    return rows


def suppressing_model(shapes: dict[str, list[int | str]], layout: str) -> Any:
    """A model whose predictions are its own inputs, with NMS behind them."""
    build = OnnxBuilder()
    for name in shapes:
        build.add("Identity", [f"given_{name}"], output=name)
    images: list[int | str] = [2, 3, 64, 96] if layout == "NCHW" else [2, 64, 96, 3]
    inputs = [tensor_info("images", images)]
    inputs += [tensor_info(f"given_{name}", shape) for name, shape in shapes.items()]
    outputs = [tensor_info(name, shape) for name, shape in shapes.items()]
    model = build.model(inputs, outputs, {}, "nms")
    append_nms(model, layout=layout)
    return model


@pytest.mark.parametrize("classes", [1, 2, 80])
def test_suppression_in_the_file_finds_what_zoohubs_own_finds(
    classes: int, onnxruntime: Any
) -> None:
    import onnx

    model = suppressing_model({"predictions": [2, "boxes", 5 + classes]}, "NCHW")
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    images = np.zeros((2, 3, 64, 96), np.float32)
    for seed in range(20):
        rows = random_predictions((2, 150, 5 + classes), 96, seed)
        found = session.run(None, {"images": images, "given_predictions": rows})[0]
        expected = as_table([select_detections(picture) for picture in rows])
        assert len(expected) > 10
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_maps_of_fractions_are_brought_to_pixels_first(onnxruntime: Any) -> None:
    shapes: dict[str, list[int | str]] = {
        "predictions_0": [2, 4, 6, 3, 8],
        "predictions_1": [2, 2, 3, 3, 8],
    }
    session = onnxruntime.InferenceSession(suppressing_model(shapes, "NHWC").SerializeToString())
    maps = [random_predictions(tuple(shape), 1.0, 5) for shape in shapes.values()]  # type: ignore[arg-type]
    given = {f"given_{name}": values for name, values in zip(shapes, maps, strict=True)}
    found = session.run(None, {"images": np.zeros((2, 64, 96, 3), np.float32), **given})[0]
    rows = decoded_prediction(maps, (64, 96))
    expected = as_table([select_detections(picture) for picture in rows])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_picture_without_objects_gives_an_empty_table(onnxruntime: Any) -> None:
    model = suppressing_model({"predictions": [2, 10, 7]}, "NCHW")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    rows = np.zeros((2, 10, 7), np.float32)
    images = np.zeros((2, 3, 64, 96), np.float32)
    assert session.run(None, {"images": images, "given_predictions": rows})[0].shape == (0, 7)


def test_a_classifier_has_no_boxes_to_suppress_or_to_decode(
    digits: Any, tmp_path: Path, onnxruntime: Any
) -> None:
    with pytest.raises(ExportError, match="decoded predictions"):
        export_with_report(digits, tmp_path / "a.onnx", nms=True)
    with pytest.raises(ExportError, match="only detectors"):
        export_with_report(digits, tmp_path / "a.onnx", decode=False)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["yolov5n", "yolov5s@r1.10-coco2017"])
def test_a_detector_exports_with_suppression_and_without_decoding(
    model: str, load: Callable[..., Any], tmp_path: Path, onnxruntime: Any
) -> None:
    net = load(model)
    options = {"size": 128, "dynamic": {"batch", "height", "width"}, "check": True}
    export = export_with_report(net, tmp_path / "nms.onnx", nms=True, **options)
    assert export.metadata.outputs == ("detections",)
    assert {difference.output for difference in export.differences} >= {"detections"}
    raw = export_with_report(net, tmp_path / "raw.onnx", decode=False, **options)
    assert raw.metadata.outputs == ("map_0", "map_1", "map_2")
    shape = (1, 128, 128, 3) if net.zoohub.input.layout == "NHWC" else (1, 3, 128, 128)
    maps = open_runner(raw.path).run(np.zeros(shape, np.float32))
    assert min(float(values.min()) for values in maps) < 0  # before the sigmoid
