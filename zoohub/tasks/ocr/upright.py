"""How a page lies: the quarter turns its letters are turned by, and its skew.

Order and lines are decided as if the page lay straight, whatever way the picture shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.outputs.text_pieces import TextPiece

_MOST_SKEW = np.pi / 4  # beyond it, a side is an end of a line rather than its length


@dataclass(frozen=True)
class Upright:
    """The rotation, (2, 2), that lays a page straight: of points (N, 2) in pixels, y downwards."""

    matrix: NDArray[np.float64]

    def straight(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the picture as they lie on the straight page."""
        laid: NDArray[np.float64] = points @ self.matrix.T
        return laid

    def back(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the straight page as they lie in the picture."""
        laid: NDArray[np.float64] = points @ self.matrix
        return laid


def upright_page(pieces: Sequence[TextPiece]) -> Upright:
    """The rotation of a page: the quarter turns that most of its text has, by area, then the
    skew: the median slope of the long sides of its four-cornered pieces, by length."""
    turns = np.zeros(4)
    for piece in pieces:
        low, high = piece.polygon.min(0), piece.polygon.max(0)
        turns[piece.turned % 4] += float(np.prod(high - low))
    turned = int(turns.argmax())
    laid = Upright(_rotation(-turned * np.pi / 2))
    slopes, lengths = _long_sides([laid.straight(piece.polygon) for piece in pieces])
    if not lengths:
        return laid
    order = np.argsort(slopes)
    half = np.cumsum(np.array(lengths)[order])
    skew = slopes[int(order[int(np.searchsorted(half, half[-1] / 2))])]
    return Upright(_rotation(-skew) @ laid.matrix)


def _rotation(angle: float) -> NDArray[np.float64]:
    """By an angle, clockwise as one sees it, since y runs downwards."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def _long_sides(polygons: Sequence[NDArray[np.float64]]) -> tuple[list[float], list[float]]:
    """The slopes in radians of the quadrilaterals' long sides, as far as they are lines' lengths,
    and how long these are."""
    slopes, lengths = [], []
    for polygon in polygons:
        if len(polygon) != 4:
            continue
        sides = np.diff(np.vstack([polygon, polygon[:1]]), axis=0)
        x, y = max(sides, key=lambda side: float(np.hypot(*side)))
        slope = float(np.arctan2(y, x))
        slope -= np.pi * round(slope / np.pi)  # a side runs both ways
        if abs(slope) < _MOST_SKEW:
            slopes.append(slope)
            lengths.append(float(np.hypot(x, y)))
    return slopes, lengths
