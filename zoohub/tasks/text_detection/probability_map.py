"""DBNet's rule: outlines of what is probable, moved outwards again.

Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020), as
MindOCR's DBPostprocess has it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture.text_crop import by_sides, least_rectangle
from zoohub.tasks.text_detection.shapes import (
    MOST,
    Map,
    Outline,
    Points,
    enlarged,
    opencv,
    shapely,
)

_LEAST_SIDE = 3  # pixels of a region
_LEAST_ENLARGED = 5  # and of its outline
_COARSENESS = 0.005  # of a polygon: part of its length that it may leave its contour by
_LEAST_POINTS = 4


def map_outlines(
    probability: Map,
    *,
    polygons: bool = False,
    binary: float = 0.3,
    least: float = 0.6,
    expand: float = 1.5,
) -> list[Outline]:
    """The texts on a map.

    Args:
        probability: (h, w), of the size of the input.
        polygons: outlines of any number of points; else rectangles.
        binary: the least probability of a pixel.
        least: the least mean probability of a region.
        expand: how far outwards an outline is moved: times area / perimeter.
    """
    cv2 = opencv()
    mask = (probability >= binary).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    trace = _polygon if polygons else _rectangle
    found = []
    for contour in contours[:MOST]:
        points: NDArray[np.int32] = contour[:, 0]
        score = _score(probability, mask, points)
        if score < least:
            continue
        outline = trace(points, expand)
        if outline is not None:
            found.append(Outline(outline, score))
    return found


def _score(probability: Map, mask: NDArray[np.uint8], points: NDArray[np.int32]) -> float:
    """The mean probability of what is text in the upright rectangle round the points, be it theirs
    or another's."""
    cv2 = opencv()
    left, top, width, height = cv2.boundingRect(points)
    here = slice(top, top + height), slice(left, left + width)
    return float(cv2.mean(np.ascontiguousarray(probability[here]), mask[here].copy())[0])


def _rectangle(points: NDArray[np.int32], expand: float) -> Points | None:
    corners, side = least_rectangle(points)
    if side < _LEAST_SIDE:
        return None
    wider = enlarged(by_sides(corners), expand)
    if not wider:
        return None
    corners, side = least_rectangle(wider[0].astype(np.int32))
    return by_sides(corners) if side >= _LEAST_ENLARGED else None


def _polygon(points: NDArray[np.int32], expand: float) -> Points | None:
    cv2 = opencv()
    coarse = cv2.approxPolyDP(points, _COARSENESS * cv2.arcLength(points, True), True)[:, 0]
    if len(coarse) < _LEAST_POINTS or not shapely().Polygon(coarse).area:
        return None
    wider = enlarged(coarse, expand)
    if len(wider) != 1:
        return None
    _, side = least_rectangle(wider[0].astype(np.int32))
    return wider[0] if side >= _LEAST_ENLARGED else None
