"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from zoohub.manifest.entry import InputContract
from zoohub.outputs.text_areas import TextProbability
from zoohub.tasks.contract import Row
from zoohub.tasks.text_detection.rows import DetectorInput
from zoohub.tasks.text_detection.samples import Texts

cv2 = pytest.importorskip("cv2")

CONTRACT = InputContract(size=(64, 96), interpolation="bilinear", resize="at_most")
NETWORK = """
network: {builder: dbnet, arguments: {backbone: mobilenet_v3}}
input: {size: [64, 96], resize: at_most}
"""
_WORDS = ("ink", "page", "word", "type")


def page(number: int) -> tuple[Image.Image, list[tuple[float, ...]]]:
    """A picture of two words, and the boxes round them."""
    image = Image.new("RGB", (96, 64 - 8 * (number % 2)), (230, 230, 220))
    canvas = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=18)
    boxes = []
    for line in range(2):
        word = _WORDS[(number + line) % len(_WORDS)]
        place = (6 + number % 20, 4 + 25 * line)
        canvas.text(place, word, fill=(20, 20, 60), font=font)
        boxes.append(canvas.textbbox(place, word, font=font))
    return image, boxes


def write(folder: Path) -> Path:
    """Data that one of the task's readers takes: pages of two words, and no picture."""
    folder.mkdir(parents=True)
    for number in range(12):
        image, boxes = page(number)
        image.save(folder / f"img_{number}.png")
        lines = [f"{x1},{y1},{x2},{y1},{x2},{y2},{x1},{y2},word, or so" for x1, y1, x2, y2 in boxes]
        (folder / f"gt_img_{number}.txt").write_text("\ufeff" + "\n".join(lines) + "\n")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "gt_broken.txt").write_text("1,1,9,1,9,9,1,9,word\n")
    return folder


def perfect(rows: Sequence[Row], targets: Sequence[Texts], classes: int) -> TextProbability:
    """What a network gives that is always right."""
    height = max(row.inputs["image"].shape[1] for row in rows)
    width = max(row.inputs["image"].shape[2] for row in rows)
    maps = np.zeros((len(rows), height, width), np.float32)
    for probability, row, texts in zip(maps, rows, targets, strict=True):
        assert isinstance(row.geometry, DetectorInput)
        geometry = row.geometry.geometry
        for polygon in texts.polygons:
            low = polygon.min(0) * (geometry.scale_x, geometry.scale_y)
            high = polygon.max(0) * (geometry.scale_x, geometry.scale_y)
            # Moved inwards by as much as the rule moves it outwards: 1.5 area / perimeter of what
            # is left.
            (w, h), inwards = high - low, 0.0
            for _ in range(50):
                inner = (w - 2 * inwards, h - 2 * inwards)
                inwards += (1.5 * inner[0] * inner[1] / (2 * sum(inner)) - inwards) / 3
            low, high = np.round(low + inwards).astype(int), np.round(high - inwards).astype(int)
            cv2.rectangle(probability, low.tolist(), high.tolist(), 0.95, -1)
    return TextProbability(maps)
