"""Pictures of lines as a network's rows, and what goes with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from zoohub.errors import DataError
from zoohub.manifest.entry import InputContract, LineContract
from zoohub.running.runner import Array
from zoohub.tasks.text_recognition.rows import collate_lines, line_rows, run_reader

LINES = InputContract(
    size=(48, 160), interpolation="bilinear", resize="line",
    line=LineContract(multiple=4, narrowest=48),
)  # fmt: skip
OPEN = InputContract(
    size=(48, 160), interpolation="bilinear", resize="line", line=LineContract(widest=640)
)
WORD = np.full((24, 40, 3), 255, np.uint8)
PAIR = np.full((24, 200, 3), 255, np.uint8)


class Recording:
    """A runner that keeps what it is given."""

    def __init__(self, *inputs: str) -> None:
        self.inputs = inputs
        self.given: Mapping[str, Array] = {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        self.given = inputs
        return {"characters": np.zeros((len(next(iter(inputs.values()))), 1, 1))}


def test_lines_of_any_width_are_batched_by_the_widest() -> None:
    prepare = line_rows(OPEN, None)
    batch = collate_lines([*prepare(WORD), *prepare(PAIR)])["image"]
    assert batch.shape == (2, 3, 48, 416)  # 400, up to a multiple of 32
    assert batch[0, 0, 0, 79:81].tolist() == [1, 0]
    prepare = line_rows(LINES, None)
    assert collate_lines([*prepare(WORD), *prepare(PAIR)])["image"].shape == (2, 3, 48, 160)


def test_a_network_is_told_how_much_of_the_width_is_covered() -> None:
    prepare = line_rows(LINES, None)
    rows = [*prepare(WORD), *prepare(PAIR)]
    runner = Recording("image", "valid_width_mask", "word_positions")
    run_reader(runner, collate_lines(rows), rows)
    mask, positions = runner.given["valid_width_mask"], runner.given["word_positions"]
    assert mask.shape == (2, 1, 40)
    assert mask.sum(2).tolist() == [[20], [40]]  # 80 and all of 160 pixels
    assert positions.shape == (2, 40)
    assert positions[1].tolist() == list(range(40))
    exported = Recording("images")
    run_reader(exported, collate_lines(rows), rows)
    assert list(exported.given) == ["images"]
    with pytest.raises(DataError, match="the network takes image_id, which no picture"):
        run_reader(Recording("image", "image_id"), collate_lines(rows), rows)
