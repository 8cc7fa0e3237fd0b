"""What the contract test needs to know of this task; see `tests/tasks/test_contract.py`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from zoohub.manifest.entry import InputContract, LineContract
from zoohub.outputs.characters import CTC, CharacterScores
from zoohub.tasks.contract import Row
from zoohub.tasks.text_recognition.labels import Word

CONTRACT = InputContract(
    size=(32, 64), interpolation="bilinear", resize="line", turned_above=2.0, line=LineContract()
)
NETWORK = """
network: {builder: crnn, arguments: {backbone: vgg7, hidden: 16, width: 0.125}}
input: {size: [32, 64], resize: line, turned_above: 2.0, line: {padding: black, widest: 256}}
"""


def write(folder: Path) -> Path:
    """Data that one of the task's readers takes: words of four letters, none of them twice, and a
    file that is no picture."""
    folder.mkdir(parents=True)
    lines = []
    words = ["".join(letters) for letters in permutations("abcd", 3)]
    for number, text in enumerate(words[:20]):
        picture = Image.new("RGB", (40, 16), "white")
        ImageDraw.Draw(picture).text((4, 2), text, fill="black")
        picture.save(folder / f"{number:02d}.png")
        lines.append(f"{number:02d}.png\t{text}")
    (folder / "broken.png").write_bytes(b"no picture")
    lines.append("broken.png\tab")
    (folder / "gt.txt").write_text("\n".join(lines) + "\n")
    return folder


def perfect(rows: Sequence[Row], targets: Sequence[Word], classes: int) -> CharacterScores:
    """What a network gives that is always right; the reader's classes have no blank yet."""
    scores = np.zeros((len(targets), 3, classes), np.float32)
    for steps, target in zip(scores, targets, strict=True):
        steps[np.arange(3), ["abcd".index(character) for character in target.text]] = 1
    return CharacterScores(scores, CTC)
