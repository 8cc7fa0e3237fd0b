"""The outlines of a mask, as COCO's polygons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# To the right, down, to the left, up: each the next one's left turn. The mask lies to the right.
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
# Of an edge between a pixel and the one before it in its turn: where it starts, from the pixel.
_STARTS = ((0, 0), (1, 0), (1, 1), (0, 1))

Point = tuple[int, int]
Ring = list[Point]


def outlines(mask: NDArray[np.bool_]) -> list[list[float]]:
    """Polygons `[x1, y1, x2, y2, …]` around the pixels of a mask (height, width), corner to corner.

    They run along the pixels' edges, clockwise, from the topmost corner; pixels that meet at a
    corner alone are apart. Holes are left out, as COCO's polygons have none: a mask without holes
    comes back exactly.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return []
    top, left = int(rows[0]), int(columns[0])
    used = mask[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    return [
        [float(value) for x, y in ring for value in (x + left, y + top)]
        for ring in rings(used)
        if doubled_area(ring) > 0
    ]


def rings(mask: NDArray[np.bool_]) -> list[Ring]:
    """The corners of every border: clockwise around pixels, the other way around holes."""
    leaving = _edges(mask)
    found = []
    for start in list(leaving):
        while 0 in leaving.get(start, ()):  # every border has an edge to the right
            found.append(_follow(leaving, start))
    return found


def doubled_area(ring: Ring) -> int:
    """Twice the area that a ring goes round; below 0 where it goes round it anticlockwise."""
    following = [*ring[1:], ring[0]]
    return sum(x * b - a * y for (x, y), (a, b) in zip(ring, following, strict=True))


def _edges(mask: NDArray[np.bool_]) -> dict[Point, list[int]]:
    """From each corner of a pixel, row by row: the directions in which a border leaves it."""
    wide = np.pad(mask, 1)
    height, width = mask.shape
    leaving: dict[Point, list[int]] = {}
    for direction, (right, down) in enumerate(_STARTS):
        # The neighbour beyond the edge: above, to the right, below, to the left.
        across, along = -_STEPS[direction][1], _STEPS[direction][0]
        other = wide[1 - along : 1 - along + height, 1 - across : 1 - across + width]
        rows, columns = np.nonzero(mask & ~other)
        for y, x in zip((rows + down).tolist(), (columns + right).tolist(), strict=True):
            leaving.setdefault((x, y), []).append(direction)
    return leaving


def _follow(leaving: dict[Point, list[int]], start: Point) -> Ring:
    """The corners of the border that leaves `start` to the right, which is taken out."""
    ring: Ring = []
    (x, y), direction = start, 0
    while True:
        x, y = x + _STEPS[direction][0], y + _STEPS[direction][1]
        choices = leaving[x, y]
        turn = next(t % 4 for t in (direction + 1, direction, direction + 3) if t % 4 in choices)
        if turn != direction:
            ring.append((x, y))
        choices.remove(turn)
        if (x, y) == start and turn == 0:
            return [ring[-1], *ring[:-1]] if ring[-1] == start else ring
        direction = turn
