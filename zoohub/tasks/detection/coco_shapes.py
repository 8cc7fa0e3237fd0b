"""The segmentations of COCO's: their boxes, for objects that come without one, and runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from zoohub.tasks.detection.samples import Shape

_MOST_PIXELS = 1 << 31
_FARTHEST = 1 << 20  # pixels


def given_box(annotation: Mapping[str, object]) -> tuple[float, float, float, float] | None:
    """x, y, width, height of an object: its `bbox`, or where there is none the box around its
    segmentation; None where neither is one."""
    box = annotation.get("bbox")
    if not box or box == [0, 0, 0, 0]:
        around = box_around(annotation.get("segmentation"))
        if around is not None or not box:
            return around
    if not (isinstance(box, list) and len(box) == 4 and all(map(is_number, box))):
        return None
    x, y, width, height = map(float, box)
    return x, y, width, height


def given_shape(annotation: Mapping[str, object], size: tuple[int, int]) -> Shape | None:
    """The segmentation of an object in a picture of (height, width) `size`; None where there is
    none, or it makes no sense. Runs go to the last pixel: pycocotools never ends where they do
    not."""
    shape = annotation.get("segmentation")
    if box_around(shape) is None:
        return None
    if isinstance(shape, dict):
        if shape["size"] != [*size]:
            return None
        runs = runs_of(shape, size[0] * size[1])
        return {**shape, "counts": [*runs]} if runs[-1] else shape
    assert isinstance(shape, list)
    polygons = [shape] if is_number(shape[0]) else shape
    return None if any(map(goes_far, polygons)) else polygons


def goes_far(polygon: Sequence[float]) -> bool:
    """Whether a polygon leaves every picture: pycocotools, which walks along it, would not end."""
    return any(abs(number) > _FARTHEST for number in polygon)


def box_around(shape: object) -> tuple[float, float, float, float] | None:
    """x, y, width, height around polygons or a run-length mask; None where it is neither."""
    if isinstance(shape, dict):
        return _box_of_runs(shape.get("counts"), shape.get("size"))
    if not isinstance(shape, list) or not shape:
        return None
    polygons = [shape] if all(map(is_number, shape)) else shape  # some write one without a list
    points: list[float] = []
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            return None
        if not all(map(is_number, polygon)):
            return None
        points += map(float, polygon)
    x, y = points[::2], points[1::2]
    return min(x), min(y), max(x) - min(x), max(y) - min(y)


def runs_of(shape: Mapping[str, object], pixels: int) -> tuple[int, ...]:
    """The runs of a run-length mask that `box_around` knows: down the columns, off and on, to the
    last of so many `pixels`."""
    counts = shape["counts"]
    runs = _written_runs(counts) if isinstance(counts, str) else counts
    assert isinstance(runs, list)
    left = pixels - sum(runs)
    return (*runs, *((0, left) if len(runs) % 2 else (left,)))


def is_number(value: object) -> bool:
    """Whether this is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _box_of_runs(counts: object, size: object) -> tuple[float, float, float, float] | None:
    """Runs go down the columns, from left to right, off and on by turns."""
    if not isinstance(size, list) or len(size) != 2:
        return None
    if not all(type(side) is int and 0 < side < 1 << 20 for side in size):
        return None
    height, width = size
    runs = _written_runs(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(type(n) is int and n >= 0 for n in runs):
        return None
    if sum(runs) > min(height * width, _MOST_PIXELS):
        return None
    ends: NDArray[np.int64] = np.cumsum(np.array(runs, np.int64))
    first, last = ends[:-1:2], ends[1::2] - 1
    first, last = first[last >= first], last[last >= first]
    if not len(first):
        return None
    left, right = first // height, last // height
    one = left == right  # a run over two columns reaches the bottom and the top
    top = int(np.where(one, first % height, 0).min())
    bottom = int(np.where(one, last % height, height - 1).max())
    x = int(left.min())
    return float(x), float(top), float(int(right.max()) - x + 1), float(bottom - top + 1)


def _written_runs(text: str) -> list[int] | None:
    """COCO's text of runs: five bits a character, each run but the first as a difference."""
    runs: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or shift > 60:
            return None
        value |= (code & 0x1F) << shift
        shift += 5
        if code & 0x20:
            continue
        if code & 0x10:
            value |= -1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return None if shift else runs  # the last character says that another follows
