"""A line of text cut out of a picture and laid flat: what text recognisers are fed.

The rule is MindOCR's (tools/infer/text): a perspective warp to the longer of opposite edges, turned
a quarter to the left where it is much higher than wide.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from zoohub.core.extras import import_extra

Points: TypeAlias = NDArray[np.float32]
Pixels: TypeAlias = NDArray[np.uint8]

_UPRIGHT = 1.5  # height to width from which a crop is turned
_LEAST_AREA = 3.0  # square pixels


def clockwise(corners: ArrayLike) -> Points:
    """Four corners (4, 2), `x y`, clockwise from the top left one.

    The first has the least x + y, the third the most; of the other two the second has the less
    y - x. Where that says nothing, of a square on its tip, they follow each other round the middle.
    """
    points = np.asarray(corners, np.float32).reshape(4, 2)
    total = points.sum(1)
    first, third = int(total.argmin()), int(total.argmax())
    others = [i for i in range(4) if i not in (first, third)]
    if len(others) == 2:
        second, fourth = sorted(others, key=lambda i: points[i, 1] - points[i, 0])
        ordered = points[[first, second, third, fourth]]
        if _turns_right(ordered):
            return ordered
    middle = points.mean(0)
    around = np.argsort(np.arctan2(*(points - middle).T[::-1]), kind="stable")
    return np.roll(points[around], -int(np.flatnonzero(around == first)[0]), axis=0)


def crop_corners(polygon: ArrayLike, size: tuple[int, int]) -> Points | None:
    """The corners of what `crop_text` cuts out of a picture of `size` (height, width): those of a
    quadrilateral, or of the smallest rectangle round a polygon (n, 2), cut at the picture's edges,
    its points whole numbers. None where that has no area to speak of."""
    height, width = size
    points = np.asarray(polygon, np.float32).reshape(-1, 2)
    points = np.trunc(np.clip(points, 0, np.array([width - 1, height - 1], np.float32)))
    if len(points) < 4:
        return None
    if len(points) == 4:
        corners = clockwise(points)
    else:
        corners = by_sides(least_rectangle(points.astype(np.int32))[0])
    x, y = corners.T
    area = abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return corners if area >= _LEAST_AREA else None


def crop_text(pixels: Pixels, corners: ArrayLike) -> Pixels:
    """What lies between four corners, `x y` clockwise from the text's top left, laid flat.

    `pixels` is (H, W, C); the result is as wide and as high as the longer of opposite edges, and
    where it is at least 1.5 times as high as wide it is turned a quarter to the left.

    Raises:
        ZoohubError: OpenCV is not installed.
    """
    cv2 = import_extra("cv2", "ocr", "cutting text out of a picture")
    points = np.asarray(corners, np.float32).reshape(4, 2)
    width, height = _flat_size(points)
    flat = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    crop: Pixels = cv2.warpPerspective(
        np.ascontiguousarray(pixels),
        cv2.getPerspectiveTransform(points, flat),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    crop = crop.reshape(height, width, -1)  # OpenCV drops a single channel's axis
    return np.ascontiguousarray(np.rot90(crop)) if is_turned(points) else crop


def is_turned(corners: ArrayLike) -> bool:
    """Whether `crop_text` turns what lies between four corners by a quarter."""
    width, height = _flat_size(np.asarray(corners, np.float32).reshape(4, 2))
    return height >= _UPRIGHT * width


def _flat_size(corners: Points) -> tuple[int, int]:
    """(width, height) in pixels: the longer of opposite edges."""
    edges = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    return max(1, int(max(edges[0], edges[2]))), max(1, int(max(edges[1], edges[3])))


def least_rectangle(points: NDArray[np.generic]) -> tuple[Points, float]:
    """The corners (4, 2) of the smallest rectangle round points (n, 2), in OpenCV's order, and its
    shorter side. Raises ZoohubError: OpenCV is not installed."""
    cv2 = import_extra("cv2", "ocr", "the smallest rectangle round a text")
    rectangle = cv2.minAreaRect(points)
    return cv2.boxPoints(rectangle), float(min(rectangle[1]))


def by_sides(corners: Points) -> Points:
    """Four corners as top left, top right, bottom right, bottom left, the two with the least x
    being the left ones."""
    left, right = np.split(corners[np.argsort(corners[:, 0], kind="stable")], 2)
    left, right = (side[np.argsort(side[:, 1], kind="stable")] for side in (left, right))
    return np.stack([left[0], right[0], right[1], left[1]])


def _turns_right(corners: Points) -> bool:
    """Whether the way round them turns the same way, clockwise on the picture, at each."""
    edges = np.roll(corners, -1, axis=0) - corners
    after = np.roll(edges, -1, axis=0)
    return bool((edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0] >= 0).all())
