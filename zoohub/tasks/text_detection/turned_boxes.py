"""EAST's rule: the box about every sure pixel, neighbours' merged.

Source: Zhou et al., "EAST: An Efficient and Accurate Scene Text Detector" (2017), as MindOCR's
EASTPostprocess has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoohub.tasks.text_detection.shapes import (
    Map,
    Outline,
    Shapes,
    best_apart,
    shapely,
)

if TYPE_CHECKING:
    from shapely import Polygon

_OVERLAP = 0.2  # from which two boxes are of one text
_OUTSIDE = 1  # corners that may lie outside of the input


def box_outlines(
    scores: Map, boxes: Map, size: tuple[int, int], *, least: float = 0.8
) -> list[Outline]:
    """The texts on EAST's maps, best first: by the sum of the scores that were merged. The score of
    each is their mean.

    MindOCR takes the pixels of a row in no certain order (an unstable sort); here they go from left
    to right, which moves corners by less than a tenth of a pixel.

    Args:
        scores: (h, w) in 0..1.
        boxes: (5, h, w): distances to the upper, lower, left, right side in pixels of the input,
            and the angle in radians.
        size: (height, width) of the input.
        least: the score that a pixel must exceed.
    """
    corners, sure = _sure_boxes(scores, boxes, size, least)
    quads, sums, counts = _merged(corners, sure)
    shapes = shapely().polygons(quads) if len(quads) else np.empty(0, object)
    kept = best_apart(shapes, sums, _OVERLAP)
    return [Outline(quads[i], float(sums[i] / counts[i])) for i in kept]


def _sure_boxes(
    scores: Map, boxes: Map, size: tuple[int, int], least: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The corners (n, 4, 2) of the boxes about pixels that score above `least`, and the scores."""
    rows, columns = np.nonzero(scores > least)
    stride = np.array([size[1] / scores.shape[1], size[0] / scores.shape[0]])
    pixel = np.stack([columns, rows], axis=1) * stride
    up, down, left, right, angle = boxes[:, rows, columns].astype(np.float64)
    across = np.stack([-left, right, right, -left], axis=1)
    along = np.stack([-up, -up, down, down], axis=1)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turned = np.stack([across * cos + along * sin, along * cos - across * sin], axis=2)
    corners = turned + pixel[:, None]
    limit = np.array([size[1], size[0]])
    outside = ((corners < 0) | (corners >= limit)).any(2).sum(1)
    good = outside <= _OUTSIDE
    return corners[good], scores[rows, columns][good].astype(np.float64)


def _merged(
    corners: NDArray[np.float64], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Each box merged with the one before it where they overlap, in the order of pixels, weighted
    by scores, which add up; with the sums, and how many were merged."""
    geometry = shapely()
    quads: list[NDArray[np.float64]] = []
    sums: list[float] = []
    counts: list[int] = []
    shapes: Shapes = geometry.polygons(corners) if len(corners) else np.empty(0, object)
    for quad, shape, score in zip(corners, shapes, scores, strict=True):
        if quads and _share(quads[-1], quad, shape) > _OVERLAP:
            total = sums[-1] + score
            quads[-1] = (quads[-1] * sums[-1] + quad * score) / total
            sums[-1], counts[-1] = total, counts[-1] + 1
        else:
            quads.append(quad)
            sums.append(float(score))
            counts.append(1)
    return np.array(quads).reshape(-1, 4, 2), np.array(sums), np.array(counts, np.float64)


def _share(before: NDArray[np.float64], quad: NDArray[np.float64], shape: Polygon) -> float:
    """Intersection over union of two boxes; most lie apart, which their sides tell."""
    if (before.max(0) <= quad.min(0)).any() or (quad.max(0) <= before.min(0)).any():
        return 0.0
    other = shapely().Polygon(before)
    if not (other.is_valid and shape.is_valid):
        return 0.0
    common: float = shape.intersection(other).area
    return common / (shape.area + other.area - common)
