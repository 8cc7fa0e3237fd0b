"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from zoohub.inputs.picture import Geometry
from zoohub.manifest.entry import InputContract
from zoohub.outputs import Boxes
from zoohub.tasks.contract import Row
from zoohub.tasks.detection.samples import Objects

CONTRACT = InputContract(size=(64, 64), interpolation="bilinear", resize="letterbox")
NETWORK = """
network: {builder: yolov5, arguments: {size: n, width: 0.03125}, head: model.model.24.m}
input: {size: [64, 64], resize: letterbox}
"""
_MOST = 4


def write(folder: Path) -> Path:
    """Data that one of the task's readers takes: two classes, and a file that is no picture."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    for number in range(20):
        pixels = np.full((48, 60, 3), 40, np.uint8)
        pixels[10:30, 5:25], pixels[12:40, 32:56] = 200, 120
        Image.fromarray(pixels).save(folder / "images" / f"{number:02d}.png")
        lines = (f"0 {15 / 60} {20 / 48} {20 / 60} {20 / 48}\n"
                 f"1 {44 / 60} {26 / 48} {24 / 60} {28 / 48}\n")  # fmt: skip
        (folder / "labels" / f"{number:02d}.txt").write_text(lines)
    (folder / "images" / "broken.png").write_bytes(b"no picture")
    (folder / "data.yaml").write_text("train: images\nnames: [light, grey]\n")
    return folder / "data.yaml"


def perfect(rows: Sequence[Row], targets: Sequence[Objects], classes: int) -> Boxes:
    """What a network gives that is always right."""
    boxes = np.ones((len(rows), _MOST, 4), np.float32)
    scores = np.zeros((len(rows), _MOST, classes), np.float32)
    objectness = np.zeros((len(rows), _MOST), np.float32)
    for place, (row, objects) in enumerate(zip(rows, targets, strict=True)):
        assert isinstance(row.geometry, Geometry)
        g = row.geometry
        for number, (label, x1, y1, x2, y2) in enumerate(objects.boxes):
            x, y = (x1 + x2) / 2 * g.scale_x + g.left, (y1 + y2) / 2 * g.scale_y + g.top
            boxes[place, number] = (x, y, (x2 - x1) * g.scale_x, (y2 - y1) * g.scale_y)
            scores[place, number, int(label)] = objectness[place, number] = 0.98
    return Boxes(boxes, objectness, scores)
