"""In which order a page's lines are read.

The two rules of T. Breuel (High Performance Document Layout Analysis, 2003) say of some pairs of
lines which comes first:

1. of two that overlap in width, the upper one;
2. of two of which one lies wholly left of the other, the left one, unless a line that overlaps
   both in width lies between them in height: that is what heads the right one's column.

So columns are read one after the other, each from its top, and what spans them parts them. Where
both rules leave a choice, the uppermost line comes next, then the leftmost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_TOUCHING = 0.1  # of the narrower one's width: what overlaps by less does not overlap


def reading_order(lines: Sequence[NDArray[np.float64]]) -> list[int]:
    """The places of lines as they are read; of each its (left, top, right, bottom) on the straight
    page."""
    if not lines:
        return []
    boxes = np.stack(lines)
    before = _before(boxes)
    middle = (boxes[:, 1] + boxes[:, 3]) / 2
    waiting = before.sum(0)  # for how many lines each
    left = set(range(len(boxes)))
    order: list[int] = []
    while left:
        ready = [place for place in left if not waiting[place]] or left  # odd pages have circles
        place = min(ready, key=lambda one: (middle[one], boxes[one, 0]))
        order.append(place)
        left.remove(place)
        waiting = waiting - before[place]
    return order


def _before(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n, n): whether one is to be read before the other, by either rule."""
    left, top, right, bottom = boxes.T
    middle = (top + bottom) / 2
    width = np.minimum.outer(right - left, right - left)
    shared = np.minimum.outer(right, right) - np.maximum.outer(left, left)
    overlap = shared > _TOUCHING * width
    above = middle[:, None] < middle[None, :]
    leftwards = ~overlap & (left[:, None] + right[:, None] < left[None, :] + right[None, :])
    parted = np.zeros_like(overlap)
    for place in range(len(boxes)):
        beneath = overlap[place] & above[place]  # what it overlaps, below it
        over = overlap[place] & above[:, place]  # … and above it
        parted |= np.outer(over, beneath) | np.outer(beneath, over)
    before: NDArray[np.bool_] = (overlap & above) | (leftwards & ~parted)
    return before
