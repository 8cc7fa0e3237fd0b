"""Pieces beside each other become lines.

Detectors find words or lines, as they were trained. Two pieces are of one line where, on the
straight page, they share at least half of the lower one's height, neither is more than twice as
high as the other, and the gap between them is no wider than the higher one is high: spaces between
words are narrower, the gutter between columns is wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.outputs.text_pieces import TextPiece
from zoohub.tasks.ocr.upright import Upright

SHARED_HEIGHT = 0.5
MOST_HIGHER = 2.0
WIDEST_GAP = 1.0  # of the height
_MOST_OVERLAP = 0.5  # of the narrower one's width: beyond, one lies on the other


@dataclass(frozen=True, eq=False)
class Line:
    """Pieces of one line, from left to right, and its `box` (left, top, right, bottom) on the
    straight page."""

    pieces: tuple[TextPiece, ...]
    box: NDArray[np.float64]

    @property
    def text(self) -> str:
        """What it says: a space between pieces, but none beside an ideograph."""
        text = self.pieces[0].text
        for piece in self.pieces[1:]:
            apart = "" if _solid(text[-1:]) or _solid(piece.text[:1]) else " "
            text += apart + piece.text
        return text

    @property
    def score(self) -> float:
        """The mean of its pieces' scores, by how many characters they have."""
        weights = [max(1, len(piece.text)) for piece in self.pieces]
        return float(np.average([piece.score for piece in self.pieces], weights=weights))

    @property
    def turned(self) -> int:
        """By how many quarter turns clockwise its letters stand in the picture, 0 to 3."""
        return self.pieces[0].turned % 4

    def polygon(self, upright: Upright) -> NDArray[np.float64]:
        """Around it, in the picture: a single piece's own, else the rectangle on the page."""
        if len(self.pieces) == 1:
            return self.pieces[0].polygon
        left, top, right, bottom = self.box
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        return upright.back(np.array(corners))


def joined(pieces: Sequence[TextPiece], upright: Upright) -> list[Line]:
    """The lines that the pieces make, in the order of their first pieces."""
    if not pieces:
        return []
    laid = [upright.straight(piece.polygon) for piece in pieces]
    boxes = np.array([[*points.min(0), *points.max(0)] for points in laid])
    together = _beside(boxes)
    lines = []
    left = set(range(len(pieces)))
    while left:
        group = _reached(min(left), together)
        left -= group
        places = sorted(group, key=lambda place: boxes[place, 0])
        box = np.concatenate([boxes[places, :2].min(0), boxes[places, 2:].max(0)])
        lines.append(Line(tuple(pieces[place] for place in places), box))
    return lines


def _beside(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n, n): whether two pieces follow each other on a line."""
    left, top, right, bottom = boxes.T
    height, width = bottom - top, right - left
    shared = np.minimum.outer(bottom, bottom) - np.maximum.outer(top, top)
    low, high = np.minimum.outer(height, height), np.maximum.outer(height, height)
    gap = np.maximum.outer(left, left) - np.minimum.outer(right, right)
    narrow = np.minimum.outer(width, width)
    beside: NDArray[np.bool_] = (
        (shared >= SHARED_HEIGHT * low)
        & (high <= MOST_HIGHER * low)
        & (gap <= WIDEST_GAP * high)
        & (-gap <= _MOST_OVERLAP * narrow)
    )
    return beside


def _reached(start: int, together: NDArray[np.bool_]) -> set[int]:
    """All that follow each other from there."""
    found, waiting = {start}, [start]
    while waiting:
        near = set(np.flatnonzero(together[waiting.pop()]).tolist()) - found
        found |= near
        waiting += near
    return found


def _solid(letter: str) -> bool:
    """Whether a script is written without spaces: ideographs, kana, and their punctuation."""
    return bool(letter) and (
        "\u2e80" <= letter <= "\u9fff" or "\uf900" <= letter <= "\ufaff" or letter >= "\uff00"
    )
