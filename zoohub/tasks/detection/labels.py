"""Boxes as they come in label files, checked: what is wrong is left out, counted and named."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted
from zoohub.inputs.picture.limits import open_limited
from zoohub.tasks.detection.samples import Boxes, as_boxes

_SMALLEST = 0.5  # pixels: less is no area
_SLACK = 1.0  # pixels that rounding may put over the edge without a word


class Reason(NamedTuple):
    """What can be wrong, said of one and of several."""

    one: str
    several: str


@dataclass
class Complaints:
    """What was found wrong, counted by reason, with the first place of each."""

    counts: dict[Reason, int] = field(default_factory=dict)
    first: dict[Reason, str] = field(default_factory=dict)

    def add(self, reason: Reason, where: str) -> None:
        """Count `reason` at `where`."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        self.first.setdefault(reason, where)

    def sentences(self) -> tuple[str, ...]:
        """One for each reason: `3 boxes outside their picture were left out (first: a.txt:2)`."""
        return tuple(
            f"{counted(count, *reason)} (first: {self.first[reason]})"
            for reason, count in self.counts.items()
        )


OUTSIDE = Reason(
    "box outside its picture was left out", "boxes outside their picture were left out"
)
EMPTY = Reason("box of no area was left out", "boxes of no area were left out")
RANGE = Reason(
    "box with a label out of range was left out", "boxes with a label out of range were left out"
)
CUT = Reason("box was cut at its picture's edge", "boxes were cut at their picture's edge")
NO_LABELS = Reason(
    "picture has no label file and counts as empty",
    "pictures have no label file and count as empty",
)
BROKEN = Reason("line that is no label was left out", "lines that are no label were left out")


def check_boxes(
    rows: NDArray[np.float64],
    places: list[str],
    size: tuple[int, int],
    classes: int,
    complaints: Complaints,
) -> Boxes:
    """The usable boxes of one picture; see `usable_boxes`."""
    return usable_boxes(rows, places, size, classes, complaints)[0]


def usable_boxes(
    rows: NDArray[np.float64],
    places: list[str],
    size: tuple[int, int],
    classes: int,
    complaints: Complaints,
) -> tuple[Boxes, list[int]]:
    """The usable boxes of one picture of `size` (height, width), cut at its edges, and which of
    the rows they are.

    One rule for all formats: a box that lies outside, but for less than half a pixel, is left out;
    one that reaches over the edge is cut there. Both are counted and named.

    `rows` are (n, 5): class, x1, y1, x2, y2 in pixels; `places` say where each is written.
    """
    height, width = size
    kept, numbers = [], []
    for number, (row, where) in enumerate(zip(rows, places, strict=True)):
        label, x1, y1, x2, y2 = (float(value) for value in row)
        if not np.isfinite(row).all():
            complaints.add(BROKEN, where)
        elif label != int(label) or not 0 <= label < classes:
            complaints.add(RANGE, where)
        elif x2 - x1 < _SMALLEST or y2 - y1 < _SMALLEST:
            complaints.add(EMPTY, where)
        elif min(x2, width) - max(x1, 0) < _SMALLEST or min(y2, height) - max(y1, 0) < _SMALLEST:
            complaints.add(OUTSIDE, where)
        else:
            if min(x1, y1) < -_SLACK or x2 > width + _SLACK or y2 > height + _SLACK:
                complaints.add(CUT, where)
            kept.append((label, max(x1, 0.0), max(y1, 0.0), min(x2, width), min(y2, height)))
            numbers.append(number)
    return as_boxes(kept), numbers


def picture_size(path: Path) -> tuple[int, int]:
    """(height, width) of the upright picture in a readable file, from its header."""
    from PIL import ExifTags

    with open_limited(path) as picture:
        width, height = picture.size
        try:
            turned = picture.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
        except Exception:  # Pillow decodes a PNG for it; a damaged one is left out when it is met
            turned = False
    return (width, height) if turned else (height, width)
