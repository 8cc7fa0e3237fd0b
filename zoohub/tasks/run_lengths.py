"""Masks as COCO keeps them: the lengths of runs, column by column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.tasks.outlines import outlines
from zoohub.tasks.results import Json

_FIRST = 48  # the character of 0
_BITS, _SIGN, _MORE = 5, 0x10, 0x20  # of a character: payload, its sign, whether another follows


@dataclass(frozen=True, slots=True)
class RunLengths:
    """A mask of (height, width) pixels: how many are out, in, out, …, down the columns."""

    height: int
    width: int
    runs: tuple[int, ...]

    @property
    def area(self) -> int:
        """How many pixels are in."""
        return sum(self.runs[1::2])

    def pixels(self) -> NDArray[np.bool_]:
        """The mask itself, (height, width)."""
        return self._columns(0, self.width)

    def polygons(self) -> list[list[float]]:
        """COCO's polygons: the outlines, without holes (`outlines`)."""
        ends = np.cumsum(self.runs)[: len(self.runs) // 2 * 2]
        if not len(ends):
            return []
        left, right = int(ends[0]) // self.height, -(-int(ends[-1]) // self.height)
        found = outlines(self._columns(left, right))
        return [
            [value + left if place % 2 == 0 else value for place, value in enumerate(ring)]
            for ring in found
        ]

    def _columns(self, left: int, right: int) -> NDArray[np.bool_]:
        """The mask from one column to before another."""
        first, after = left * self.height, right * self.height
        lengths = np.diff(np.clip(np.cumsum(self.runs), first, after), prepend=first)
        inside = np.arange(len(self.runs)) % 2 == 1
        return np.repeat(inside, lengths).reshape(right - left, self.height).T

    def to_json(self) -> dict[str, Json]:
        """COCO's compressed form: `{size: [height, width], counts: text}`."""
        return {"size": [self.height, self.width], "counts": _compressed(self.runs)}


def run_lengths(mask: NDArray[np.bool_]) -> RunLengths:
    """The runs of a mask (height, width)."""
    return placed_runs(mask, 0, 0, (mask.shape[0], mask.shape[1]))


def placed_runs(part: NDArray[np.bool_], top: int, left: int, size: tuple[int, int]) -> RunLengths:
    """The runs of a mask of (height, width) `size` that is `part` from that row and column on, and
    out elsewhere; `part` lies within it."""
    height, width = size
    down, across = part.shape
    columns = np.zeros((across, down + 1), bool)  # a run ends with its column
    columns[:, :down] = part.T
    flat = columns.reshape(-1)
    changes = np.flatnonzero(np.diff(flat, prepend=False))
    column, row = np.divmod(changes, down + 1)
    bounds = (left + column) * height + top + row
    joined = bounds[1:-1:2] == bounds[2::2]  # from a column's last pixel to the next one's first
    within = np.repeat(~joined, 2)
    bounds = np.concatenate([bounds[:1], bounds[1:-1][within], bounds[-1:]])
    ends = [0, *bounds.tolist(), height * width]
    if len(ends) > 2 and ends[-2] == ends[-1]:
        ends.pop()
    return RunLengths(height, width, tuple(np.diff(ends).tolist()))


def _compressed(runs: tuple[int, ...]) -> str:
    """Each run, from the fourth on as its difference from the one two before, five bits a
    character, the lowest first."""
    text = ""
    for place, run in enumerate(runs):
        value = run - runs[place - 2] if place > 2 else run
        more = True
        while more:
            bits = value & 0x1F
            value >>= _BITS
            more = value != (-1 if bits & _SIGN else 0)
            text += chr((bits | _MORE if more else bits) + _FIRST)
    return text
