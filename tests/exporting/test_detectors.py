"""Detectors: decoded or raw, and non-maximum suppression inside the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zoohub
from zoohub.errors import ExportError
from zoohub.exporting import export_with_report
from zoohub.graphs.onnx_builder import OnnxBuilder, tensor_info
from zoohub.models.provenance import Provenance
from zoohub.outputs.boxes import fractional_maps, packed_boxes
from zoohub.running import open_runner
from zoohub.tasks.detection.export import Suppression, as_table
from zoohub.tasks.detection.rules import CONFIDENCE, IOU, BoxRules
from zoohub.tasks.detection.selection import select_detections


def random_predictions(shape: tuple[int, ...], size: float, seed: int) -> Any:
    """Boxes in clusters, so that they overlap; scores from 0 to 1, no two alike."""
    rng = np.random.default_rng(seed)
    rows = rng.random(shape, dtype=np.float32)
    rows[..., :2] = (np.floor(rows[..., :2] * 4) / 4 + rows[..., :2] / 20 + 0.1) * size
    rows[..., 2:4] = (0.1 + 0.1 * rows[..., 2:4]) * size
    return rows


def suppressing_model(shapes: dict[str, list[int | str]], layout: str, **rules: Any) -> Any:
    """A model whose predictions are its own inputs, with NMS behind them."""
    build = OnnxBuilder()
    for name in shapes:
        build.add("Identity", [f"given_{name}"], output=name)
    images: list[int | str] = [2, 3, 64, 96] if layout == "NCHW" else [2, 64, 96, 3]
    inputs = [tensor_info("images", images)]
    inputs += [tensor_info(f"given_{name}", shape) for name, shape in shapes.items()]
    outputs = [tensor_info(name, shape) for name, shape in shapes.items()]
    model = build.model(inputs, outputs, {}, "nms")
    Suppression(BoxRules(**rules)).append(model, layout)
    return model


def brute_force(rows: Any, confidence: float, iou: float, limit: int) -> list[list[float]]:
    """Detections of one picture by the definition, box by box in float64; written for this test.

    Of all boxes that are left, the best is taken and those of its class that cover it too much go.
    """
    left = []
    for number, row in enumerate(rows.astype(np.float64)):
        x, y, width, height, objectness = row[:5]
        scores = row[5:] * objectness if len(row) > 6 else row[4:5]
        label = int(np.argmax(scores))
        if np.float32(scores[label]) > np.float32(confidence):
            corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            left.append((scores[label], -number, label, corners))
    found: list[list[float]] = []
    while left:
        best = max(left)
        found.append([*best[3], best[0], float(best[2])])
        left = [
            box
            for box in left
            if box is not best and (box[2] != best[2] or overlap(box[3], best[3]) <= iou)
        ]
    by_class = sorted(found, key=lambda row: (row[5], -row[4]))
    return [
        row
        for label in sorted({row[5] for row in by_class})
        for row in [other for other in by_class if other[5] == label][:limit]
    ]


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    area, second = ((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return float(shared / (area + second - shared)) if shared else 0.0


@pytest.mark.parametrize("limit", [300, 3])
@pytest.mark.parametrize("classes", [1, 3, 80])
def test_suppression_in_the_file_is_what_the_definition_says(
    classes: int, limit: int, onnxruntime: Any
) -> None:
    shapes: dict[str, list[int | str]] = {"predictions": [2, "boxes", 5 + classes]}
    model = suppressing_model(shapes, "NCHW", most=limit)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    images = np.zeros((2, 3, 64, 96), np.float32)
    removed = 0
    for seed in range(25):
        rows = random_predictions((2, 120, 5 + classes), 96, 100 + seed)
        found = session.run(None, {"images": images, "given_predictions": rows})[0]
        expected = [
            [float(picture), *box]
            for picture in range(2)
            for box in brute_force(rows[picture], CONFIDENCE, IOU, limit)
        ]
        assert len(found) == len(expected)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        removed += 240 - len(found)
    assert removed > 500


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
        boxes = packed_boxes({"predictions": rows}, (64, 96))
        expected = as_table([select_detections(boxes, i) for i in range(len(boxes))])
        assert len(expected) > 10
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "rules",
    [
        BoxRules(confidence=0.1, multi_label=True, iou=0.7),
        BoxRules(confidence=0.05, iou=0.5, inclusive="input"),
        BoxRules(confidence=0.01, class_confidence=0.3, multi_label=True, most_of_class=4),
    ],
    ids=["mindyolo", "efficientdet", "classes"],
)
def test_suppression_in_the_file_follows_the_publishers_rules(
    rules: BoxRules, onnxruntime: Any
) -> None:
    step = Suppression(rules)
    assert step.leaves_out is None
    model = suppressing_model({"predictions": [2, "boxes", 8]}, "NCHW", **asdict(rules))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    images = np.zeros((2, 3, 64, 96), np.float32)
    whole = replace(rules, most=30_000)  # the file has no bound for a picture
    others = 0
    for seed in range(10):
        rows = random_predictions((2, 150, 8), 24, seed)  # small, where a pixel tells
        found = session.run(None, {"images": images, "given_predictions": rows})[0]
        form = packed_boxes({"predictions": rows}, (64, 96))
        expected = as_table([select_detections(form, i, whole) for i in range(2)])
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        np.testing.assert_allclose(step.expected(form)["detections"], expected, rtol=1e-6)
        others += len(expected) != sum(len(select_detections(form, i)) for i in range(2))
    assert others > 5


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (BoxRules(inclusive="picture"), "counts both ends of a side in pixels of the picture"),
        (BoxRules(suppression="soft_in_order"), "publisher's weakens boxes"),
        (
            BoxRules(suppression="diou", inclusive="picture"),
            "goes by the distance of centres too and counts both ends",
        ),
    ],
)
def test_what_a_file_cannot_do_is_said(rules: BoxRules, said: str) -> None:
    step = Suppression(rules)
    assert step.leaves_out is not None
    assert said in step.leaves_out
    rows = random_predictions((1, 150, 8), 96, 3)
    form = packed_boxes({"predictions": rows}, (64, 96))
    np.testing.assert_array_equal(
        step.expected(form)["detections"], as_table([select_detections(form, 0)])
    )


def test_maps_of_fractions_are_brought_to_pixels_first(onnxruntime: Any) -> None:
    shapes: dict[str, list[int | str]] = {
        "predictions_0": [2, 4, 6, 3, 8],
        "predictions_1": [2, 2, 3, 3, 8],
    }
    session = onnxruntime.InferenceSession(suppressing_model(shapes, "NHWC").SerializeToString())
    maps = [random_predictions(tuple(shape), 1.0, 5) for shape in shapes.values()]  # type: ignore[arg-type]
    given = {f"given_{name}": values for name, values in zip(shapes, maps, strict=True)}
    found = session.run(None, {"images": np.zeros((2, 64, 96, 3), np.float32), **given})[0]
    boxes = fractional_maps(dict(zip(shapes, maps, strict=True)), (64, 96))
    expected = as_table([select_detections(boxes, i) for i in range(len(boxes))])
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
@pytest.mark.parametrize(
    "model", ["yolov5n", pytest.param("yolov5s@r1.10-coco2017", marks=pytest.mark.every)]
)
def test_a_detector_exports_with_suppression_and_without_decoding(
    model: str, load: Callable[..., Any], tmp_path: Path, onnxruntime: Any
) -> None:
    net = load(model)
    options = {"size": 128, "dynamic": {"batch", "height", "width"}, "check": True}
    export = export_with_report(net, tmp_path / "without_nms.onnx", nms=True, **options)
    assert export.metadata.outputs == ("detections",)
    assert {difference.output for difference in export.differences} >= {"detections"}
    raw = export_with_report(net, tmp_path / "raw.onnx", decode=False, **options)
    assert raw.metadata.outputs == ("map_0", "map_1", "map_2")
    shape = (1, 128, 128, 3) if net.zoohub.input.layout == "NHWC" else (1, 3, 128, 128)
    maps = tuple(open_runner(raw.path).run({"image": np.zeros(shape, np.float32)}).values())
    assert min(float(values.min()) for values in maps) < 0  # before the sigmoid


# One of each generation of YOLO, as narrow as it can be built, and SSD: (model, arguments, what it
# gives).
GENERATIONS = [
    ("yolov3", {"width": 0.125}, "predictions"),
    ("yolov4", {"width": 0.125}, "predictions"),
    ("yolov5n", {}, "predictions"),
    ("yolov7_tiny", {"width": 0.25}, "predictions"),
    ("yolov8n", {}, "boxes"),
    ("yolov9_t", {}, "boxes"),
    ("yolov10n", {}, "chosen"),
    ("yolov11n", {}, "boxes"),
    ("yolox_nano", {}, "predictions"),
    ("ssd300", {}, "boxes"),
]


# The others, some of a minute each, are run by `pytest -m every`.
IN_THE_GATE = ("yolov7_tiny", "yolov8n", "yolov10n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "arguments", "given"),
    [
        pytest.param(*row, id=row[0], marks=() if row[0] in IN_THE_GATE else pytest.mark.every)
        for row in GENERATIONS
    ],
)
def test_each_generation_finds_the_same_boxes_as_its_file(
    model: str, arguments: dict[str, Any], given: str, load: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    net = load(model, **arguments)
    picture = tmp_path / "noise.png"
    noise = np.random.default_rng(3).integers(0, 256, (128, 128, 3), np.uint8)
    Image.fromarray(noise).save(picture)
    told = net.zoohub
    boxes = told.input.boxes
    if boxes is not None and boxes.inclusive == "picture":
        boxes = replace(boxes, inclusive=None)  # which a file's NMS cannot do
    small = replace(told.input, size=(128, 128), boxes=boxes)
    net.zoohub = Provenance(
        told.entry, told.checkpoint, small, told.classes, told.path, told.report, told.network,
        told._watch,
    )  # fmt: skip
    options = {"size": 128, "check": True}
    export = export_with_report(net, tmp_path / "boxes.onnx", **options)
    assert export.metadata.outputs == (given,)
    table = export_with_report(net, tmp_path / "nms.onnx", nms=True, **options)
    assert table.metadata.outputs == ("detections",)
    own, decoded, chosen = (
        zoohub.predict(source, picture, threshold=0.25)[0].predictions
        for source in (net, export.path, table.path)
    )
    assert len(own) > 10
    assert as_rows(decoded) == pytest.approx(as_rows(own), abs=1e-2)
    assert as_rows(chosen) == pytest.approx(as_rows(own), abs=1e-2)


def as_rows(found: Any) -> Any:
    """Boxes, scores and classes, in an order that near ties do not change."""
    rows = [[*label.box, label.score, label.index] for label in found]
    return np.sort(np.array(rows), axis=0)
