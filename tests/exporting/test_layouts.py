"""MindOCR's layouts of pages: 800 pixels, which are no multiple of its coarsest stride."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

import zoohub
from zoohub.exporting import export_with_report
from zoohub.inputs.picture import Transform
from zoohub.networks.families import find_family

NAMES = {"title", "text", "figure", "table", "list"}
SIZE = (900, 1000)  # width, height


def page(path: Path) -> Path:
    """A drawn page: a title, lines of text, a figure."""
    drawn = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((220, 40, 680, 80), "black")
    for y in range(140, 500, 20):
        pen.line((60, y, 840, y), (40, 40, 40), 6)
    pen.ellipse((300, 560, 600, 860), (30, 90, 200))
    drawn.save(path)
    return path


@pytest.mark.slow
def test_a_page_of_800_pixels_is_read_and_its_file_finds_the_same(
    load: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    net = load("layout_yolov8n", width=0.0625, depth=0.1)
    assert (net.zoohub.entry.model, net.zoohub.input.size) == ("layout_yolov8n", (800, 800))
    picture = str(page(tmp_path / "page.png"))
    (found,) = zoohub.predict(net, picture, threshold=0.01, max_detections=9, mode="pynative")
    assert found.predictions
    assert {label.label for label in found.predictions} <= NAMES
    # The best of them by hand, from the network's own output.
    prepared = Transform(net.zoohub.input).prepare(picture)
    assert prepared.geometry.resized == (800, 720)
    assert prepared.geometry.left == 40
    export = export_with_report(net, tmp_path / "layout.onnx", check=False)
    assert export.metadata.input == net.zoohub.input
    boxes = boxes_of(tmp_path / "layout.onnx", prepared.array)
    assert boxes.shape == (100**2 + 50**2 + 25**2 + 13**2, 9)
    best = boxes[boxes[:, 4:].max(1).argmax()]
    x, y, width, height = (best[:4] - (40, 0, 0, 0)) / 0.8
    corners = np.clip([x - width / 2, y - height / 2, x + width / 2, y + height / 2],
                      0, [*SIZE, *SIZE])  # fmt: skip
    first = found.predictions[0]
    assert first.box == pytest.approx(corners.tolist(), abs=0.05)
    assert first.score == pytest.approx(best[4:].max(), abs=1e-4)
    assert first.index == best[4:].argmax()
    (by_file,) = zoohub.predict(export.path, picture, threshold=0.01, max_detections=9)
    assert [label.label for label in by_file.predictions] == [
        label.label for label in found.predictions
    ]
    for one, other in zip(by_file.predictions, found.predictions, strict=True):
        assert one.box == pytest.approx(other.box, abs=0.05)
    # Unless asked otherwise, MindOCR's 0.5.
    (plain,) = zoohub.predict(export.path, picture)
    assert [label.score for label in plain.predictions] == sorted(
        (label.score for label in plain.predictions), reverse=True
    )
    assert all(label.score > 0.5 for label in plain.predictions)


def boxes_of(path: Path, array: np.ndarray) -> np.ndarray:
    from zoohub.running import open_runner

    (boxes,) = open_runner(path).run({"image": array[None]}).values()
    return boxes[0]


def test_only_its_neck_takes_multiples_of_32() -> None:
    family = find_family("yolov8")
    layout = {"size": "n6", "num_classes": 5, "dense_neck": True}
    assert family.size_problem(layout, (800, 800)) is None
    assert family.size_problem(layout, (800, 810)) is not None
    assert family.size_problem({"size": "n6"}, (800, 800)) is not None
