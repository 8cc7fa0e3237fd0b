"""Boxes of which each has a mask: candidates whose mask is a weighted sum of the prototypes, and
chosen ones with a mask of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoohub.core.counting import counted
from zoohub.errors import DataError
from zoohub.outputs.boxes import Boxes, BoxTable
from zoohub.outputs.form import Array, Size, shapes


@dataclass(frozen=True, slots=True)
class MaskedBoxes:
    """Every box that a detector considers, with what its mask is made of.

    `coefficients` is float32 (N, n, prototypes), `prototypes` float32 (N, prototypes, h, w) over
    the whole input: a pixel is the object's where the weighted sum is above 0, inside the box.
    """

    boxes: Boxes
    coefficients: Array
    prototypes: Array

    def __post_init__(self) -> None:
        count = self.boxes.boxes.shape[:2]
        right = (
            self.coefficients.ndim == 3
            and self.prototypes.ndim == 4
            and self.coefficients.shape[:2] == count
            and self.prototypes.shape[:2] == (count[0], self.coefficients.shape[2])
        )
        if not right:
            raise DataError(
                "expected coefficients (N, n, prototypes) and prototypes (N, prototypes, h, w) for "
                f"boxes {self.boxes.boxes.shape}; got {self.coefficients.shape} and "
                f"{self.prototypes.shape}"
            )

    def __len__(self) -> int:
        return len(self.boxes)


def masked_boxes(raw: Mapping[str, Array], size: Size) -> MaskedBoxes:
    """The outputs `masked_boxes` (N, n, 4 + classes + prototypes) and `prototypes`.

    Raises:
        DataError: the network gives something else, such as raw maps.
    """
    packed, prototypes = raw.get("masked_boxes"), raw.get("prototypes")
    if packed is None or prototypes is None or packed.ndim != 3 or prototypes.ndim != 4:
        raise DataError(
            "expected masked_boxes (N, boxes, 4 + classes + prototypes) and prototypes "
            f"(N, prototypes, h, w); the network gives {shapes(raw)}"
        )
    packed = packed.astype(np.float32, copy=False)
    last = packed.shape[2] - prototypes.shape[1]
    boxes = Boxes(packed[..., :4], None, packed[..., 4:last])
    return MaskedBoxes(boxes, packed[..., last:], prototypes.astype(np.float32, copy=False))


@dataclass(frozen=True, slots=True)
class MaskedTable:
    """The boxes that a two-stage detector lets through, each with its mask.

    `table` has them as rows; `masks` is float32 (n, h, w), how likely each cell of a box is its
    object's.
    """

    table: BoxTable
    masks: Array

    def __post_init__(self) -> None:
        if self.masks.ndim != 3 or len(self.masks) != len(self.table):
            raise DataError(
                f"expected a mask for each of {counted(len(self.table), 'box', 'boxes')}; got "
                f"{self.masks.shape}"
            )

    def __len__(self) -> int:
        return len(self.table)


def chosen_regions(raw: Mapping[str, Array], size: Size) -> BoxTable | MaskedTable:
    """The table `detections` (n, 7), and where there are some the `masks` (n, h, w) of its boxes.

    Raises:
        DataError: something else was found.
    """
    if "detections" not in raw:
        raise DataError(
            f"expected detections (n, 7); the network gives {shapes(raw)}: its stages are asked "
            "one by one"
        )
    table = BoxTable(raw["detections"].astype(np.float32, copy=False))
    masks = raw.get("masks")
    return table if masks is None else MaskedTable(table, masks.astype(np.float32, copy=False))
