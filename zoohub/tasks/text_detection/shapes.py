"""Shapes on maps: what the rules of all text detectors draw outlines with."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.core.extras import import_extra

Points: TypeAlias = NDArray[Any]  # (n, 2): x and y, of any type of number
Shapes: TypeAlias = NDArray[np.object_]  # of Shapely's polygons
Map: TypeAlias = NDArray[np.float32]

# So many regions of a picture are looked at, as MindOCR has it for DBNet: a picture of a million
# specks takes no longer than one of a thousand.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Outline:
    """A text on a map: `points` (n, 2) are x and y in pixels of the input, `score` is in 0..1."""

    points: Points
    score: float


def spans(points: Points) -> bool:
    """Whether points at whole pixels are more than a line or one spot."""
    x, y = (points - points[0]).astype(np.int64).T
    farthest = int((x**2 + y**2).argmax())
    return bool((x * y[farthest] != y * x[farthest]).any())


def opencv() -> ModuleType:
    """OpenCV. Raises ZoohubError: it is not installed."""
    return import_extra("cv2", "ocr", "finding text in pictures")


def shapely() -> ModuleType:
    """Shapely. Raises ZoohubError: it is not installed."""
    return import_extra("shapely", "ocr", "finding text in pictures")


def moved(points: Points, distance: float) -> list[Points]:
    """A polygon moved outwards by so many pixels, or inwards by a negative number, its corners
    rounded: mostly one, none where nothing is left of it.

    Source: Vatti clipping, as DBNet's paper has it; points are cut to whole numbers.
    """
    pyclipper = import_extra("pyclipper", "ocr", "finding text in pictures")
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(points.tolist(), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    return [np.array(path) for path in offset.Execute(distance)]


def enlarged(points: Points, ratio: float) -> list[Points]:
    """A polygon `moved` outwards by area · ratio / perimeter; none where it has no length."""
    polygon = shapely().Polygon(points)
    return moved(points, polygon.area * ratio / polygon.length) if polygon.length else []


def overlap(one: object, others: Shapes) -> NDArray[np.float64]:
    """Intersection over union of a Shapely polygon and each of others, 0 with what is not valid."""
    geometry = shapely()
    found = np.zeros(len(others))
    near = np.flatnonzero(
        geometry.intersects(geometry.box(*geometry.bounds(one)), geometry.envelope(others))
    )
    near = near[geometry.is_valid(others[near])]
    if not len(near) or not geometry.is_valid(one):
        return found
    common = geometry.area(geometry.intersection(one, others[near]))
    union = geometry.area(one) + geometry.area(others[near]) - common
    found[near] = np.divide(common, union, out=np.zeros(len(near)), where=union > 0)
    return found


def best_apart(polygons: Shapes, scores: NDArray[np.float64], most: float) -> list[int]:
    """Which polygons stay, best first: those that overlap no better one by more than `most`.

    At most the `MOST` best are looked at.
    """
    order = np.argsort(scores, kind="stable")[::-1][:MOST]  # of equals, as the sources, the last
    kept: list[int] = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        order = order[overlap(polygons[best], polygons[order]) <= most]
    return kept
