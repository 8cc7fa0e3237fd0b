"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from zoohub.inputs.picture import Geometry
from zoohub.manifest.entry import InputContract
from zoohub.outputs import ClassMap
from zoohub.tasks.contract import Row
from zoohub.tasks.segmentation.masks import Mask, resize_mask

CONTRACT = InputContract(size=(64, 64), interpolation="bilinear", resize="stretch")
NETWORK = """
network: {builder: unet, arguments: {variant: simple, in_channels: 3, base_channels: 4}}
input: {size: [64, 64], resize: stretch}
"""


def write(folder: Path) -> Path:
    """Data that one of the task's readers takes: two classes, and a file that is no picture."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for number in range(20):
        pixels = np.full((64, 64, 3), 40, np.uint8)
        left = 4 + number
        pixels[10:40, left : left + 24] = 200
        mask = (pixels[..., 0] > 100).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{number:02d}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{number:02d}.png")
    (folder / "images" / "broken.png").write_bytes(b"no picture")
    Image.fromarray(mask).save(folder / "masks" / "broken.png")
    return folder


def perfect(rows: Sequence[Row], targets: Sequence[Mask], classes: int) -> ClassMap:
    """What a network gives that is always right."""
    maps = []
    for row, mask in zip(rows, targets, strict=True):
        assert isinstance(row.geometry, Geometry)
        inside = resize_mask(mask.read(), *row.geometry.resized)
        maps.append([(inside == index).astype(np.float32) for index in range(classes)])
    return ClassMap(np.array(maps, np.float32))
