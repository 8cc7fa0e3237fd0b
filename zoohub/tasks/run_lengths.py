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
        inside = np.arange(len(self.runs)) % 2 == 1
        return np.repeat(inside, self.runs).reshape(self.width, self.height).T

    def polygons(self) -> list[list[float]]:
        """COCO's polygons: the outlines, without holes (`outlines`)."""
        return outlines(self.pixels())

    def to_json(self) -> dict[str, Json]:
        """COCO's compressed form: `{size: [height, width], counts: text}`."""
        return {"size": [self.height, self.width], "counts": _compressed(self.runs)}


def run_lengths(mask: NDArray[np.bool_]) -> RunLengths:
    """The runs of a mask (height, width)."""
    height, width = mask.shape
    flat = mask.T.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate([[0], changes, [len(flat)]])
    runs = np.diff(bounds).tolist()
    starts_in = len(flat) > 0 and bool(flat[0])
    return RunLengths(height, width, (0, *runs) if starts_in else tuple(runs))


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
