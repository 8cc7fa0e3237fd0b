"""Non-maximum suppression: of boxes that overlap the best stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Candidates compared with what stays at a time, and with each other.
_WINDOW, _BLOCK = 1024, 64
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

    def beaten(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(rows, columns): whether two boxes are of one class and overlap too much."""
        found = overlaps(boxes[rows], boxes[columns], pixel=pixel, by_distance=by_distance)
        too_much: NDArray[np.bool_] = found > iou
        too_much &= classes[rows, None] == classes[columns]
        return too_much

    kept = np.empty(0, np.intp)
    for start in range(0, len(boxes), _WINDOW):
        left = np.arange(start, min(start + _WINDOW, len(boxes)))
        new = kept
        while len(kept) < limit:
            if len(new):
                left = left[~beaten(new, left).any(axis=0)]
            if not len(left):
                break
            block, left = left[:_BLOCK], left[_BLOCK:]
            new = block[_staying(beaten(block, block))]
            kept = np.concatenate([kept, new])
    return kept[:limit]


def _staying(beaten: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which boxes, best first, no earlier one that stays beats."""
    alive = np.ones(len(beaten), bool)
    np.fill_diagonal(beaten, False)
    for position in np.flatnonzero(beaten.any(axis=1)):
        if alive[position]:
            alive[position + 1 :] &= ~beaten[position, position + 1 :]
    return alive


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
    shared = _common(first[0], first[2], second[0], second[2], pixel)
    shared *= _common(first[1], first[3], second[1], second[3], pixel)
    areas = [(b[2] - b[0] + pixel) * (b[3] - b[1] + pixel) for b in (first, second)]
    union = areas[0] + areas[1]
    union -= shared
    union += np.float32(_TINY)
    shared /= union
    if not by_distance:
        return shared
    across = np.maximum(first[2], second[2]) - np.minimum(first[0], second[0])
    down = np.maximum(first[3], second[3]) - np.minimum(first[1], second[1])
    apart = (first[:2] + first[2:] - second[:2] - second[2:]) / 2
    far: Floats = (apart**2).sum(axis=0) / (across**2 + down**2 + _TINY)
    return shared - far


def _common(low: Floats, high: Floats, low_: Floats, high_: Floats, pixel: float) -> Floats:
    """How long what two sides share is, 0 where they are apart; the table is the caller's own."""
    common: Floats = np.minimum(high, high_)
    common -= np.maximum(low, low_)
    if pixel:
        common += np.float32(pixel)
    return np.maximum(common, 0, out=common)
