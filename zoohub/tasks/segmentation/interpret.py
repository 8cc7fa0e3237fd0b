"""From a network's class map to the class of each pixel of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture.transforms import Geometry
from zoohub.outputs import ClassMap
from zoohub.outputs.form import check_finite
from zoohub.tasks.contract import Row, check_count
from zoohub.tasks.options import option
from zoohub.tasks.results import Json, class_name
from zoohub.tasks.segmentation.masks import IGNORED, ClassIndices, resize_mask


@dataclass(frozen=True, slots=True)
class SegmentationOptions:
    """Which regions are told of: those that cover at least that share of the picture."""

    threshold: float = option(0.0, "least score shown", metavar="P")


@dataclass(frozen=True, slots=True)
class Region:
    """The pixels of one class: their share of the picture, 0 to 1, and which they are.

    `mask` is bool (height, width) in the upright picture's pixels.
    """

    label: str
    index: int
    share: float
    mask: NDArray[np.bool_] = field(repr=False, compare=False)

    def to_json(self) -> dict[str, Json]:
        """The share to 6 digits; the pixels are in the picture that `--save` writes."""
        return {"label": self.label, "index": self.index, "share": round(self.share, 6)}

    def line(self) -> str:
        """Share and name."""
        return f"{self.share:6.1%}  {self.label}"


def interpret_map(
    form: ClassMap, rows: Sequence[Row], names: tuple[str, ...] | None, threshold: float
) -> list[tuple[Region, ...]]:
    """The regions of each picture, the largest first."""
    check_count(form.scores.shape[1], names)
    found = []
    for indices in picture_classes(form, rows):
        counts = np.bincount(indices.ravel(), minlength=IGNORED + 1)[:IGNORED]
        shares = counts / indices.size
        order = [int(i) for i in np.argsort(-shares, kind="stable") if shares[i] > 0]
        found.append(
            tuple(
                Region(class_name(i, names), i, float(shares[i]), indices == i)
                for i in order
                if shares[i] >= threshold
            )
        )
    return found


def picture_classes(form: ClassMap, rows: Sequence[Row]) -> list[ClassIndices]:
    """The class of each pixel of each upright picture; 255 where the network did not look.

    Of a map coarser than the picture, each pixel takes the class at its place.
    """
    check_finite(form.scores)
    found = []
    for scores, row in zip(form.scores, rows, strict=True):
        assert isinstance(row.geometry, Geometry)
        found.append(to_picture(scores.argmax(0).astype(np.uint8), row.geometry))
    return found


def to_picture(indices: ClassIndices, geometry: Geometry) -> ClassIndices:
    """A map over the network's input, as one over the picture that lies in it."""
    height, width = geometry.resized
    top, left = geometry.top, geometry.left
    if top == left == 0 and indices.shape[0] * width == indices.shape[1] * height:
        return resize_mask(indices, *geometry.picture)  # stretched: the map covers the picture
    inside = np.full((height, width), IGNORED, np.uint8)
    rows = slice(max(0, top), min(indices.shape[0], top + height))
    columns = slice(max(0, left), min(indices.shape[1], left + width))
    inside[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = (
        indices[rows, columns]
    )
    return resize_mask(inside, *geometry.picture)
