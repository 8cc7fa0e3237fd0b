"""The chain asks its steps in turn: what each gives is made up here, that it fits is what counts.

Real networks go this road in `tests/predicting/test_ocr.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from zoohub.manifest.entry import InputContract
from zoohub.tasks.contract import Row
from zoohub.tasks.ocr.chain import DETECTION, DIRECTION, RECOGNITION
from zoohub.tasks.ocr.task import TASK, OcrOptions
from zoohub.tasks.results import Label

pytest.importorskip("cv2")


@dataclass(frozen=True)
class Found:
    polygon: tuple[tuple[float, float], ...]
    score: float = 0.9


@dataclass(frozen=True)
class Said:
    text: str
    score: float


@dataclass(frozen=True)
class Options:
    vocab: str | None = None


@dataclass
class Made:
    """A step whose network gives `answer` for each picture; it is its own task."""

    answer: Callable[[Any], tuple[Any, ...]]
    names: tuple[str, ...] | None = None
    input: InputContract = field(default_factory=InputContract)
    batches: list[int] = field(default_factory=list)
    told: list[object] = field(default_factory=list)
    options: type = Options

    @property
    def task(self) -> Any:
        return self

    def prepare(
        self, contract: InputContract, options: object = None
    ) -> Callable[[Any], tuple[Row, ...]]:
        self.told.append(options)
        return lambda pixels: (Row({"image": pixels}),)

    def infer(self, rows: Sequence[Row]) -> Any:
        self.batches.append(len(rows))
        return [self.answer(row.inputs["image"]) for row in rows]

    def interpret(self, form: Any, rows: Any, names: Any, options: Any) -> Any:
        return form


def box(left: float, top: float, right: float, bottom: float) -> Found:
    return Found(((left, top), (right, top), (right, bottom), (left, bottom)))


def grey(pixels: Any) -> int:
    """What a piece is told by: the mean of its left half."""
    return round(float(pixels[:, : pixels.shape[1] // 2].mean()))


def page() -> Any:
    """Three lines, dark at the left and light at the right; one is turned by half."""
    pixels = np.full((200, 300, 3), 255, np.uint8)
    for row, (left, right) in enumerate([(10, 90), (20, 80), (70, 30)]):
        pixels[20 + 50 * row : 40 + 50 * row, 10:110] = left
        pixels[20 + 50 * row : 40 + 50 * row, 110:210] = right
    return pixels


BOXES = (box(10, 120, 210, 140), box(10, 20, 210, 40), box(10, 70, 210, 90))
SAID = {10: Said("one", 0.9), 20: Said("two", 0.9), 30: Said("three", 0.9), 70: Said("eerht", 0.4)}


def read(steps: dict[str, Any], pixels: Any, **options: Any) -> list[Any]:
    (row,) = TASK.prepare_chain(steps, OcrOptions(**options))(pixels)
    form = TASK.chain(steps, [row])
    (lines,) = TASK.interpret(form, [row], None, OcrOptions(**options))
    return [*lines]


def steps(**others: Any) -> dict[str, Any]:
    return {
        DETECTION: Made(lambda _: BOXES),
        RECOGNITION: Made(lambda pixels: (SAID[grey(pixels)],)),
        **others,
    }


def test_what_reads_poorly_is_read_turned_and_the_better_reading_counts() -> None:
    lines = read(steps(), page())
    assert [line.text for line in lines] == ["one", "two", "three"]
    assert lines[0].polygon == BOXES[1].polygon


def test_a_step_that_tells_directions_decides_instead() -> None:
    def direction(pixels: Any) -> tuple[Label]:
        down = grey(pixels) == 70
        return (Label("180" if down else "0", int(down), 0.95),)

    assert [line.text for line in read(steps(**{DIRECTION: Made(direction)}), page())][2] == "three"
    unsure = Made(lambda _: (Label("180", 1, 0.6),))
    texts = [line.text for line in read(steps(**{DIRECTION: unsure}), page(), threshold=0.1)]
    assert texts == ["one", "two", "eerht"]


def test_a_line_that_runs_downwards_is_turned_before_it_is_read() -> None:
    pixels = np.full((300, 200, 3), 255, np.uint8)
    pixels[10:110, 50:70] = 20  # its beginning, at the top
    pixels[110:210, 50:70] = 80
    found = steps(**{DETECTION: Made(lambda _: (box(50, 10, 70, 210),))})
    # Turned to the left, the top lies at the left.
    assert [line.text for line in read(found, pixels)] == ["two"]


def test_pieces_are_read_a_few_at_a_time_the_short_ones_first() -> None:
    recogniser = Made(lambda pixels: (Said("x" * (pixels.shape[1] // 10), 0.95),))
    widths = [150, 30, 60, 90, 100, 40, 140, 130, 120, 110]
    found = tuple(box(5, 5 + 18 * i, 5 + w, 15 + 18 * i) for i, w in enumerate(widths))
    chain = {DETECTION: Made(lambda _: found), RECOGNITION: recogniser}
    lines = read(chain, np.full((200, 300, 3), 255, np.uint8))
    assert recogniser.batches == [8, 2]
    assert [len(line.text) for line in lines] == [w // 10 for w in widths]


@pytest.mark.parametrize("found", [(), (box(5, 5, 5.5, 5.5),)])
def test_a_page_without_text_has_no_lines(found: tuple[Found, ...]) -> None:
    chain = steps(**{DETECTION: Made(lambda _: found)})
    assert read(chain, np.full((50, 60, 3), 255, np.uint8)) == []


def test_the_step_that_reads_is_told_its_characters() -> None:
    chain = steps()
    read(chain, page(), vocab="words.txt")
    assert {getattr(told, "vocab", None) for told in chain[RECOGNITION].told} == {"words.txt"}
    assert {getattr(told, "vocab", None) for told in chain[DETECTION].told} == {None}
    (row,) = TASK.prepare_chain(chain)(page())
    assert TASK.extent(row) == (300, 200)
