"""From a page to its pieces of text: found, cut out, turned where need be, read.

A piece much higher than wide is turned a quarter to the left, as `crop_text` does. Then, by the
pipeline's step `direction` where it has one, a piece that this says stands on its head, with a
score of at least `SURE`, is turned by half. Without that step, a piece that reads with a score
below `POOR` is read once more turned by half, and the better reading counts.

Pieces are read in the order of their lengths, `AT_ONCE` at a time: what is read together is of
like length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture import Picture, read_image
from zoohub.inputs.picture.text_crop import crop_corners, crop_text, is_turned
from zoohub.outputs.text_pieces import TextPiece, TextPieces
from zoohub.tasks.chained import Step
from zoohub.tasks.contract import Prepare, Row
from zoohub.tasks.options import choose

DETECTION, DIRECTION, RECOGNITION = "detection", "direction", "recognition"
SURE = 0.9
POOR = 0.9
AT_ONCE = 8
UPSIDE_DOWN = "180"  # what a classifier of directions calls it

Pixels = NDArray[np.uint8]
Read = tuple[str, float]


class _One(Protocol):
    """What a step says of a piece: its direction, or its text."""

    label: str
    text: str
    score: float


@dataclass(frozen=True, eq=False)
class Page:
    """A page as the chain needs it: its pixels (H, W, 3), RGB and upright by its file, the
    detector's own row of it, and the file of the characters to be read (None: the index's)."""

    pixels: Pixels
    row: Row
    vocab: str | None = None


@dataclass(frozen=True, eq=False)
class Cut:
    """A piece cut out of the picture of a place in the batch, laid flat; `turned` as `TextPiece`
    has it."""

    picture: int
    polygon: NDArray[np.float64]
    pixels: Pixels
    turned: int


def page_row(prepare: Prepare, picture: Picture, vocab: str | None = None) -> Row:
    """A page's row: that of the detector, with what `Page` keeps."""
    pixels = read_image(picture)
    (row,) = prepare(pixels)
    return Row(row.inputs, Page(pixels, row, vocab))


def read_pages(steps: Mapping[str, Step], rows: Sequence[Row]) -> TextPieces:
    """What the pipeline reads in the pages of these rows."""
    pages = [row.geometry for row in rows if isinstance(row.geometry, Page)]
    cuts = _cut(steps[DETECTION], pages)
    if DIRECTION in steps:
        cuts = _directed(steps[DIRECTION], cuts)
    reader = _Reader(steps[RECOGNITION], pages[0].vocab if pages else None)
    read = reader.read(cuts)
    if DIRECTION not in steps:
        cuts, read = _either_way(reader, cuts, read)
    found: list[list[TextPiece]] = [[] for _ in pages]
    for cut, (text, score) in zip(cuts, read, strict=True):
        if text:
            found[cut.picture].append(TextPiece(cut.polygon, text, score, cut.turned))
    return TextPieces(tuple(map(tuple, found)))


def _cut(step: Step, pages: Sequence[Page]) -> list[Cut]:
    """What the detector finds, cut out of the pictures."""
    rows = [page.row for page in pages]
    found = step.task.interpret(step.infer(rows), rows, step.names, step.task.options())
    cuts = []
    for place, (page, areas) in enumerate(zip(pages, found, strict=True)):
        for area in areas:
            corners = crop_corners(area.polygon, (page.pixels.shape[0], page.pixels.shape[1]))
            if corners is None:
                continue
            polygon = np.array(area.polygon, np.float64)
            pixels = crop_text(page.pixels, corners)
            cuts.append(Cut(place, polygon, pixels, int(is_turned(corners))))
    return cuts


def _directed(step: Step, cuts: Sequence[Cut]) -> list[Cut]:
    """Those that stand on their heads, turned."""
    said = _asked(step, [cut.pixels for cut in cuts], step.task.options())
    return [
        _turned(cut) if one.label == UPSIDE_DOWN and one.score >= SURE else cut
        for cut, one in zip(cuts, said, strict=True)
    ]


@dataclass(frozen=True)
class _Reader:
    """The step that reads, and the file of its characters."""

    step: Step
    vocab: str | None

    def read(self, cuts: Sequence[Cut]) -> list[Read]:
        """The text of each, and its score; none where there is nothing."""
        options: object = choose(self.step.task.options, {"vocab": self.vocab})
        found = _asked(self.step, [cut.pixels for cut in cuts], options)
        return [(one.text, one.score) for one in found]


def _either_way(
    reader: _Reader, cuts: Sequence[Cut], read: Sequence[Read]
) -> tuple[list[Cut], list[Read]]:
    """What reads poorly, read turned as well."""
    poor = [place for place, (_, score) in enumerate(read) if score < POOR]
    other = {place: _turned(cuts[place]) for place in poor}
    again = reader.read([other[place] for place in poor])
    cuts, read = [*cuts], [*read]
    for place, reading in zip(poor, again, strict=True):
        if reading[1] > read[place][1]:
            cuts[place], read[place] = other[place], reading
    return cuts, read


def _turned(cut: Cut) -> Cut:
    pixels = np.ascontiguousarray(cut.pixels[::-1, ::-1])
    return Cut(cut.picture, cut.polygon, pixels, cut.turned + 2)


def _asked(step: Step, pictures: Sequence[Pixels], options: object) -> list[_One]:
    """A step's first result of each picture, those of like shape at a time."""
    prepare = step.task.prepare(step.input, options)
    found: dict[int, _One] = {}
    order = sorted(range(len(pictures)), key=lambda i: pictures[i].shape[1] / pictures[i].shape[0])
    for start in range(0, len(order), AT_ONCE):
        places = order[start : start + AT_ONCE]
        rows = [prepare(pictures[place])[0] for place in places]
        results = step.task.interpret(step.infer(rows), rows, step.names, options)
        found.update((place, one) for place, (one, *_) in zip(places, results, strict=True))
    return [found[place] for place in range(len(pictures))]
