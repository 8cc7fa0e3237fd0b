"""Which object each pixel of a picture belongs to, drawn from the objects' shapes.

Where shapes overlap the smaller is on top, as in mindyolo's and Ultralytics' training.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.tasks.detection.coco_shapes import runs_of
from zoohub.tasks.detection.samples import Boxes, Objects, Shape
from zoohub.tasks.run_lengths import RunLengths

Owners = NDArray[np.int32]


def draw_owners(objects: Objects, size: tuple[int, int]) -> Owners:
    """(height, width) `size` of i + 1 where the object of box i is, 0 where there is none; crowds
    are none. `objects` have their shapes."""
    owners = np.zeros(size, np.int32)
    boxes = objects.boxes
    areas = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
    for place in np.argsort(-areas, kind="stable"):
        owners[_inside(objects.shapes[place], size)] = place + 1
    return owners


def target_owners(owners: Owners, boxes: Boxes, kept: NDArray[np.int64]) -> Owners:
    """`owners` of the input (H, W) as a loss takes them: (H / 4, W / 4), of the `kept` boxes alone,
    by their places in that list.

    A cell is an object's if two of its four middle pixels are.
    """
    table = np.zeros(len(boxes) + 1, np.int32)
    table[1 + kept] = 1 + np.arange(len(kept))
    middle = np.stack([owners[y::4, x::4] for y in (1, 2) for x in (1, 2)])
    middle = np.sort(table[middle], axis=0)
    pair = np.where(middle[1] == middle[2], middle[1], middle[0])
    found: Owners = np.where(middle[2] == middle[3], middle[3], pair)
    return found


def _inside(shape: Shape, size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of a shape: where runs say, or inside any of its polygons."""
    height, width = size
    if isinstance(shape, dict):
        return RunLengths(height, width, runs_of(shape, height * width)).pixels()
    inside = np.zeros(size, bool)
    for polygon in shape:
        inside |= fill_polygon(np.asarray(polygon, np.float64).reshape(-1, 2), size)
    return inside


def fill_polygon(points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of a (height, width) `size` whose centres a polygon (n, 2) of x, y goes around an
    odd number of times. (Pillow's polygons have pixels beyond their edges too.)"""
    height, width = size
    # What is far outside is outside, and must not overflow.
    points = points.clip(-(1 << 20), 1 << 20)
    (x1, y1), (x2, y2) = points.T, np.roll(points, -1, axis=0).T
    first = np.ceil(np.minimum(y1, y2) - 0.5).clip(0, height).astype(np.int64)
    last = np.ceil(np.maximum(y1, y2) - 0.5).clip(0, height).astype(np.int64)
    counts = last - first  # of rows whose middle an edge crosses
    edge = np.repeat(np.arange(len(points)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    part = (row + 0.5 - y1[edge]) / (y2 - y1)[edge]
    column = np.ceil(x1[edge] + part * (x2 - x1)[edge] - 0.5).clip(0, width).astype(np.int64)
    inside = np.zeros(size, bool)
    if len(edge):  # only where the polygon is: a picture has many, most of them small
        top, left = row.min(), column.min()
        down, across = row.max() - top + 1, column.max() - left
        crossings = np.zeros((down, across + 1), np.int32)
        np.add.at(crossings, (row - top, column - left), 1)
        odd = np.cumsum(crossings[:, :across], axis=1) % 2 == 1
        inside[top : top + down, left : left + across] = odd
    return inside
