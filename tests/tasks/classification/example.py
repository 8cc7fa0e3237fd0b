"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from zoohub.manifest.entry import InputContract
from zoohub.outputs import ClassScores
from zoohub.tasks.contract import Row

CONTRACT = InputContract(
    size=(32, 32), channels=1, colour="L", interpolation="bilinear", crop=1.0, resize="crop"
)
NETWORK = """
network: {builder: lenet, arguments: {num_classes: 2, in_channels: 1}, head: fc3}
input: {size: [32, 32], colour: L, crop: 1.0}
"""


def write(folder: Path) -> Path:
    """Data that one of the task's readers takes: two classes, and a file that is no picture."""
    for label, name in enumerate(("dark", "light")):
        (folder / name).mkdir(parents=True)
        for number in range(10):
            Image.new("L", (24, 20), 40 + 150 * label + number).save(
                folder / name / f"{number}.png"
            )
    (folder / "dark" / "broken.png").write_bytes(b"no picture")
    return folder


def perfect(rows: Sequence[Row], targets: Sequence[int], classes: int) -> ClassScores:
    """What a network gives that is always right."""
    return ClassScores(np.eye(classes, dtype=np.float32)[list(targets)] * 20)
