"""The maps that DBNet learns, drawn from outlines of text.

Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020),
sections 3.4 and 3.5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoohub.tasks.text_detection.shapes import Points, moved, opencv, shapely

_LEAST_SIDE = 8  # pixels: of a smaller text nothing is learnt
_LOWEST, _HIGHEST = 0.3, 0.7  # of the threshold, away from an outline and on it

Maps = NDArray[np.float32]


def text_maps(
    outlines: Sequence[Points], ignored: Sequence[bool], size: tuple[int, int], shrink: float
) -> Maps:
    """Four maps (4, height, width) of the outlines on a picture of that size.

    The first is 1 in the inner part of a text, that is the outline moved inwards by
    area · (1 - shrink²) / perimeter; the second 1 where the first is learnt. The third is the
    threshold, 0.7 on an outline and falling to 0.3 as far away as that, inwards and outwards; the
    fourth 1 where it is learnt. Nothing is learnt of ignored texts, and of tiny ones.

    Raises:
        ZoohubError: the libraries of `zoohub[ocr]` are not installed.
    """
    cv2 = opencv()
    inner, learnt = np.zeros(size, np.float32), np.ones(size, np.float32)
    border, border_learnt = np.zeros(size, np.float32), np.zeros(size, np.float32)
    for outline, left_out in zip(outlines, ignored, strict=True):
        pixels = np.round(outline).astype(np.int32)
        reach = 0.0 if left_out else _reach(outline, shrink)
        smaller = moved(pixels, -reach) if reach else []
        if not smaller:
            cv2.fillPoly(learnt, [pixels], 0.0)
            continue
        cv2.fillPoly(inner, [np.round(path).astype(np.int32) for path in smaller], 1.0)
        for path in moved(pixels, reach):
            _draw_border(border, border_learnt, outline, path, reach)
    threshold = border * (_HIGHEST - _LOWEST) + _LOWEST
    return np.stack([inner, learnt, threshold, border_learnt])


def _reach(outline: Points, shrink: float) -> float:
    """How far inwards the inner part of a text begins; 0 where nothing is learnt of it."""
    polygon = shapely().Polygon(outline)
    if np.ptp(outline, axis=0).min() < _LEAST_SIDE or not polygon.is_valid or not polygon.length:
        return 0.0
    return float(polygon.area * (1 - shrink**2) / polygon.length)


def _draw_border(border: Maps, learnt: Maps, outline: Points, around: Points, reach: float) -> None:
    """Raise `border` to 1 - distance / reach near the outline; `around` is where that ends."""
    cv2 = opencv()
    height, width = border.shape
    cv2.fillPoly(learnt, [around.astype(np.int32)], 1.0)
    left, top = np.maximum(np.floor(around.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(around.max(0)).astype(int) + 1, (width, height))
    if right <= left or bottom <= top:
        return
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    nearest = np.full(x.shape, np.inf, np.float32)
    for start, end in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        nearest = np.minimum(nearest, _distance(x, y, start, end))
    here = border[top:bottom, left:right]
    np.maximum(here, np.clip(1 - nearest / reach, 0, 1), out=here)


def _distance(x: Maps, y: Maps, start: Points, end: Points) -> Maps:
    """Of each pixel from the segment between two points."""
    along = end - start
    length = float(along @ along)
    across = (x - start[0]) * along[0] + (y - start[1]) * along[1]
    part = np.clip(across / length, 0, 1) if length else np.zeros_like(x)
    distance: Maps = np.hypot(x - (start[0] + part * along[0]), y - (start[1] + part * along[1]))
    return distance
