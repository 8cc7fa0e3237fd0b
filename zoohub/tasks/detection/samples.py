"""What is true of a picture with objects: their classes and boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.tasks.samples import Samples

Boxes: TypeAlias = NDArray[np.float32]
Shape: TypeAlias = "list[list[float]] | dict[str, object]"


def no_boxes() -> Boxes:
    """An empty (0, 5) array."""
    return np.zeros((0, 5), np.float32)


def as_boxes(rows: Sequence[Sequence[float]] | NDArray[np.number]) -> Boxes:
    """Rows of `class x1 y1 x2 y2` as float32 (n, 5), also where there are none."""
    return np.array(rows, np.float32).reshape(-1, 5)


@dataclass(frozen=True)
class Objects:
    """The objects in a picture.

    `boxes` is float32 (n, 5): class index, x1, y1, x2, y2 in pixels of the upright picture.
    `crowds` are those that stand for a crowd: COCO's evaluation ignores what is found there, and
    nothing is trained on them. `shapes` are the outlines of both, the boxes' first, where they are
    known of all: COCO's polygons or run lengths.
    """

    boxes: Boxes
    crowds: Boxes = field(default_factory=no_boxes)
    shapes: tuple[Shape, ...] = ()

    @property
    def shaped(self) -> bool:
        """Whether the outline of everything is known."""
        return len(self.shapes) == len(self.boxes) + len(self.crowds)

    def without_shapes(self) -> Objects:
        """The same by its boxes alone."""
        return replace(self, shapes=()) if self.shapes else self

    def renumbered(self, places: NDArray[np.int64]) -> Objects:
        """The same with class i as class `places[i]`."""
        boxes, crowds = (_renumbered(boxes, places) for boxes in (self.boxes, self.crowds))
        return replace(self, boxes=boxes, crowds=crowds)


BoxSamples: TypeAlias = Samples[Objects]


def box_count(samples: BoxSamples) -> int:
    """Boxes in all pictures, crowds left out."""
    return sum(len(objects.boxes) for objects in samples.targets)


def _renumbered(boxes: Boxes, places: NDArray[np.int64]) -> Boxes:
    numbers = places[boxes[:, 0].astype(np.int64)]
    return as_boxes(np.concatenate([numbers[:, None], boxes[:, 1:]], axis=1))
