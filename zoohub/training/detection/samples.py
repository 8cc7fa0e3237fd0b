"""Pictures with boxes, as every source of detection data gives them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoohub.training.data.samples import bare_names

Boxes = NDArray[np.float32]


def no_boxes() -> Boxes:
    """An empty (0, 5) array."""
    return np.zeros((0, 5), np.float32)


def as_boxes(rows: Sequence[Sequence[float]] | NDArray[Any]) -> Boxes:
    """Rows of `class x1 y1 x2 y2` as float32 (n, 5), also where there are none."""
    return np.array(rows, np.float32).reshape(-1, 5)


@dataclass(frozen=True)
class BoxSamples:
    """Pictures (paths, or uint8 (H, W, 3)) and their boxes.

    `boxes[i]` is float32 (n, 5): class index, x1, y1, x2, y2 in pixels of the upright picture.
    `crowds[i]` are those that stand for a crowd: COCO's evaluation ignores what is found there,
    and nothing is trained on them.
    """

    images: Sequence[Path | NDArray[np.uint8]]
    boxes: Sequence[Boxes]
    names: Sequence[str]
    crowds: Sequence[Boxes] = ()

    def __len__(self) -> int:
        return len(self.images)

    def take(self, places: Sequence[int] | NDArray[np.int64]) -> BoxSamples:
        """Only the samples at these places, in this order."""
        return BoxSamples(
            [self.images[i] for i in places],
            [self.boxes[i] for i in places],
            [self.names[i] for i in places],
            [self.crowds[i] for i in places] if self.crowds else (),
        )

    @property
    def box_count(self) -> int:
        """Boxes in all pictures, crowds left out."""
        return sum(len(boxes) for boxes in self.boxes)


@dataclass(frozen=True)
class BoxSplits:
    """The parts of a detection data set.

    `skipped` maps a picture or label left out to the reason, `warnings` are sentences for the
    user that count them.
    """

    classes: tuple[str, ...]
    train: BoxSamples
    validation: BoxSamples
    test: BoxSamples
    skipped: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def identity(self) -> Iterator[bytes]:
        """What makes two copies of the data the same to train on, wherever they are."""
        yield from map(os.fsencode, self.classes)
        for part in (self.train, self.validation, self.test):
            yield from bare_names(part.names)
            yield from (boxes.tobytes() for boxes in (*part.boxes, *part.crowds))
