"""Non-maximum suppression: of boxes that overlap the best stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Candidates compared with each other at a time: few at first, when none is beaten yet.
_FIRST_BLOCK, _BLOCK = 64, 512
_TINY = 1e-6  # keeps the overlap of two empty boxes finite
_FAR = 1e15  # pixels; the areas of boxes that are larger have no room in float32


def bounded(boxes: Floats) -> Floats:
    """The numbers of boxes, which weights that fit nothing may make as large as there are, cut so
    that overlaps can be computed."""
    found: Floats = boxes.clip(-_FAR, _FAR)
    return found


def non_max_suppression(
    boxes: Floats,
    classes: NDArray[np.int64],
    *,
    iou: float,
    limit: int,
    pixel: float = 0.0,
    by_distance: bool = False,
) -> NDArray[np.intp]:
    """Indices of the boxes that stay, at most `limit`, in order.

    `boxes` (n, 4) `x1 y1 x2 y2` come best first. A box goes if it overlaps an earlier one of its
    class that stays by more than `iou` (see `overlaps`).
    """
    kept = np.empty(0, np.intp)
    start, size = 0, _FIRST_BLOCK

    def beaten(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(rows, columns): whether two boxes are of one class and overlap too much."""
        same = classes[rows, None] == classes[None, columns]
        found = overlaps(boxes[rows], boxes[columns], pixel=pixel, by_distance=by_distance)
        too_much: NDArray[np.bool_] = same & (found > iou)
        return too_much

    while start < len(boxes) and len(kept) < limit:
        block = np.arange(start, min(start + size, len(boxes)))
        start, size = start + size, min(2 * size, _BLOCK)
        block = block[~beaten(kept, block).any(axis=0)]
        rivals = beaten(block, block)
        alive = np.ones(len(block), bool)
        for position in range(len(block)):
            if alive[position]:
                alive[position + 1 :] &= ~rivals[position, position + 1 :]
        kept = np.concatenate([kept, block[alive]])
    return kept[:limit]


def overlaps(
    rows: Floats, columns: Floats, *, pixel: float = 0.0, by_distance: bool = False
) -> Floats:
    """(rows, columns): what each box (…, 4) shares with each other, as a part of their union.

    A side is `pixel` longer than its ends are apart: 1 where both ends are pixels of the box.
    `by_distance` takes away the square of how far the centres are apart, as a part of the diagonal
    of the box around both.

    Source: Zheng et al., "Distance-IoU Loss" (2019), with its non-maximum suppression.
    """
    first, second = rows.T[..., None], columns.T[:, None]
    width = np.minimum(first[2], second[2]) - np.maximum(first[0], second[0]) + pixel
    height = np.minimum(first[3], second[3]) - np.maximum(first[1], second[1]) + pixel
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = [(b[2] - b[0] + pixel) * (b[3] - b[1] + pixel) for b in (first, second)]
    found: Floats = shared / (areas[0] + areas[1] - shared + _TINY)
    if not by_distance:
        return found
    across = np.maximum(first[2], second[2]) - np.minimum(first[0], second[0])
    down = np.maximum(first[3], second[3]) - np.minimum(first[1], second[1])
    apart = (first[:2] + first[2:] - second[:2] - second[2:]) / 2
    far: Floats = (apart**2).sum(axis=0) / (across**2 + down**2 + _TINY)
    return found - far
