"""Non-maximum suppression: of boxes that overlap the best stays."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Candidates compared with what stays at a time (of many the first, and later), and with each other.
_FIRST, _WINDOW, _BLOCK = 512, 1024, 64
_CELLS = 4096  # a power of two
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
    ends = _by_coordinate(boxes)
    areas = _areas(ends, pixel)
    labels = classes.astype(np.int32)  # compared in a third of the time
    # A product rounds: an overlap of exactly `iou`, 247 of 380 for 0.65, must not be more than it.
    limiting = np.nextafter(np.float32(iou), np.float32(2)) if iou else np.float32(0)

    def beats(better: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether boxes are of the class of others, each of its own one, and overlap it too much.
        Both broadcast."""
        first, second = ends.take(better, axis=1), ends.take(others, axis=1)
        least = np.empty(np.broadcast_shapes(better.shape, others.shape), np.float32)
        # As `overlaps`, without the division.
        shared = _shared(first, second, pixel, least)
        np.add(areas[better], areas[others], out=least)
        least -= shared
        least *= limiting
        too_much = shared > least
        too_much &= labels[better] == labels[others]
        return too_much

    def beaten(rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(rows, columns): whether two boxes are of one class and overlap too much."""
        if not by_distance:
            return beats(rows[:, None], columns)
        found = overlaps(boxes[rows], boxes[columns], pixel=pixel, by_distance=True) > iou
        found &= labels[rows, None] == labels[columns]
        return found

    kept = np.empty(0, np.intp)
    few = len(boxes) <= _WINDOW
    cells = None if by_distance or few else _cells(ends, labels)
    best = np.zeros(_CELLS, np.intp)  # of each cell; of one without, the first box, which stays
    later = [] if few else range(_FIRST, len(boxes), _WINDOW)
    for start, end in pairwise([0, *later, len(boxes)]):
        if len(kept) >= limit:
            break
        left, before = np.arange(start, end), len(kept)
        if cells is not None and start:  # one comparison each, and few are left for the tables
            left = left[~beats(best[cells[left]], left)]
        for first in range(0, len(kept), _BLOCK):  # each has fewer to look at than the one before
            if len(left):
                left = left[~beaten(kept[first : first + _BLOCK], left).any(axis=0)]
        while len(left) and len(kept) < limit:
            block, left = left[:_BLOCK], left[_BLOCK:]
            new = block[_staying(beaten(block, block))]
            kept = np.concatenate([kept, new])
            if len(left):
                left = left[~beaten(new, left).any(axis=0)]
        if cells is not None:
            found = kept[before:][::-1]  # of several in a cell the last that is written counts
            best[cells[found]] = found
    return kept[:limit]


def _cells(ends: Floats, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """A number below `_CELLS` for each box (4, n): the same for those of a class whose centres are
    within a square as wide as a box is on average. Others may have it too."""
    # Of sizes that are not finite, or all 0, whichever number comes out.
    with np.errstate(invalid="ignore", divide="ignore"):
        twice = 2 * (ends[2:] - ends[:2]).mean()
        x, y = ((ends[:2] + ends[2:]) / twice).astype(np.int32)
    found: NDArray[np.int32] = (x * 73 + y * 4099 + labels * 1009) & (_CELLS - 1)
    return found


def _staying(beaten: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Which boxes, best first, no earlier one that stays beats."""
    staying: list[int] = []
    gone = 0  # one bit a box: Python's numbers are quicker here than arrays
    packed = np.packbits(beaten, axis=1, bitorder="little")
    data, size = packed.tobytes(), packed.shape[1]
    for place in range(len(beaten)):
        if not gone >> place & 1:
            staying.append(place)
            gone |= int.from_bytes(data[place * size : (place + 1) * size], "little")
    return np.array(staying, np.intp)


def overlaps(
    rows: Floats, columns: Floats, *, pixel: float = 0.0, by_distance: bool = False
) -> Floats:
    """(rows, columns): what each box (…, 4) shares with each other, as a part of their union.

    A side is `pixel` longer than its ends are apart: 1 where both ends are pixels of the box.
    `by_distance` takes away the square of how far the centres are apart, as a part of the diagonal
    of the box around both.

    Source: Zheng et al., "Distance-IoU Loss" (2019), with its non-maximum suppression.
    """
    first, second = _by_coordinate(rows)[..., None], _by_coordinate(columns)[:, None]
    union = np.empty((len(rows), len(columns)), np.float32)
    shared = _shared(first, second, pixel, union)
    np.add(_areas(first, pixel), _areas(second, pixel), out=union)
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


def _by_coordinate(boxes: Floats) -> Floats:
    """(4, n) of boxes (n, 4), each row in one piece: 33,000 pairs take 164 µs, 243 otherwise."""
    return np.ascontiguousarray(boxes.T)


def _areas(ends: Floats, pixel: float) -> Floats:
    """Of boxes (4, …): (…); 0 where the ends of a side are crossed."""
    across, down = ends[2:] - ends[:2] + np.float32(pixel)
    found: Floats = np.maximum(across, 0) * np.maximum(down, 0)
    return found


def _shared(first: Floats, second: Floats, pixel: float, spare: Floats) -> Floats:
    """The areas that boxes (4, …) of both share; the table is the caller's own.

    `spare` is room of that shape: each table more that is asked of the system costs as much as
    what is computed in it.
    """
    sides = []
    for low, high in ((0, 2), (1, 3)):
        side = np.minimum(first[high], second[high])
        side -= np.maximum(first[low], second[low], out=spare)
        if pixel:
            side += np.float32(pixel)
        sides.append(np.maximum(side, 0, out=side))
    sides[0] *= sides[1]
    return sides[0]
