"""From a network's maps to the texts in the picture, each by its network's own rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry
from zoohub.manifest.entry import RegionContract
from zoohub.outputs import Form
from zoohub.outputs.boxes import BoxTable
from zoohub.outputs.form import Array, check_finite
from zoohub.outputs.masked_boxes import MaskedTable
from zoohub.outputs.text_areas import (
    TextColumns,
    TextCurves,
    TextEnds,
    TextKernels,
    TextProbability,
    TurnedBoxes,
)
from zoohub.tasks.contract import Row
from zoohub.tasks.options import option
from zoohub.tasks.results import Json
from zoohub.tasks.text_detection.boxed_texts import box_corners
from zoohub.tasks.text_detection.columns import column_outlines
from zoohub.tasks.text_detection.curves import curve_outlines
from zoohub.tasks.text_detection.ends import end_outlines
from zoohub.tasks.text_detection.kernels import kernel_outlines
from zoohub.tasks.text_detection.masked_texts import mask_outlines
from zoohub.tasks.text_detection.probability_map import map_outlines
from zoohub.tasks.text_detection.rows import DetectorInput, input_size
from zoohub.tasks.text_detection.shapes import Outline, spans
from zoohub.tasks.text_detection.turned_boxes import box_outlines

# What the publishers' rules take where the checkpoint says nothing.
_DEFAULTS = {
    TextProbability: RegionContract("quad", binary=0.3, least=0.6, expand=1.5),
    TextKernels: RegionContract("quad", binary=0.0, least=0.85),
    TurnedBoxes: RegionContract("quad", least=0.8),
    TextCurves: RegionContract("polygon", least=0.3),
    TextEnds: RegionContract("quad", least=0.8),
    TextColumns: RegionContract("quad", binary=0.7, least=0.9),
    MaskedTable: RegionContract("polygon", binary=0.5, least=0.9),
    BoxTable: RegionContract("quad", least=0.8),
}


@dataclass(frozen=True, slots=True)
class TextDetectionOptions:
    """Which texts are given: those that score at least `threshold` (0 to 1); None: as the
    checkpoint's publisher has it."""

    threshold: float | None = option(None, "least score shown", metavar="P")


@dataclass(frozen=True, slots=True)
class TextArea:
    """A text's outline: corners `(x, y)` in pixels of the upright picture, four of them clockwise
    from the top left; `score` is in 0..1."""

    polygon: tuple[tuple[float, float], ...]
    score: float

    def to_json(self) -> dict[str, Json]:
        """Corners to a hundredth of a pixel, the score to 6 digits."""
        corners: list[Json] = [[round(x, 2), round(y, 2)] for x, y in self.polygon]
        return {"polygon": corners, "score": round(self.score, 6)}

    def line(self) -> str:
        """Score and corners, of many the first four."""
        shown = "  ".join(f"{x:.0f},{y:.0f}" for x, y in self.polygon[:4])
        more = f"  … ({len(self.polygon)} corners)" if len(self.polygon) > 4 else ""
        return f"{self.score:6.1%}  text  at {shown}{more}"


def interpret_texts(
    form: Form, rows: Sequence[Row], options: TextDetectionOptions
) -> list[tuple[TextArea, ...]]:
    """The texts of each picture, best first; of what is cut to a line at its edge there is nothing
    to read, and it is left out.

    Raises:
        DataError: the form is another task's, or has numbers that are not finite.
        ZoohubError: the libraries of `zoohub[ocr]` are not installed.
    """
    if type(form) not in _DEFAULTS:
        raise DataError(f"expected where text is from the network; got {type(form).__name__}")
    largest = max(input_size(row)[0] for row in rows), max(input_size(row)[1] for row in rows)
    found = []
    for place, row in enumerate(rows):
        assert isinstance(row.geometry, DetectorInput)
        how = _merged(_DEFAULTS[type(form)], row.geometry.regions)
        if options.threshold is not None:
            how = replace(how, least=options.threshold)
        geometry = row.geometry.geometry
        if isinstance(form, MaskedTable):
            outlines = _masked(form, place, geometry, how)
        else:
            outlines = [
                _in_picture(outline, geometry)
                for outline in _outlines(form, place, input_size(row), largest, how)
            ]
        areas = [_area(outline) for outline in outlines if spans(outline.points)]
        found.append(tuple(sorted(areas, key=lambda area: -area.score)))
    return found


def _merged(known: RegionContract, own: RegionContract) -> RegionContract:
    """The checkpoint's own constants, else those that are known."""
    said = {f.name: getattr(own, f.name) for f in fields(own)}
    return replace(known, **{name: value for name, value in said.items() if value is not None})


def _outlines(
    form: Form, place: int, size: tuple[int, int], largest: tuple[int, int], how: RegionContract
) -> list[Outline]:
    """The texts of one picture of the batch, whose input has `size`, the batch's `largest`."""

    def own(maps: Array) -> Array:
        """That picture's map or maps, without what was filled up."""
        part = maps[place]
        height, width = (
            -(-side * whole // most)
            for side, whole, most in zip(size, part.shape[-2:], largest, strict=True)
        )
        part = np.ascontiguousarray(part[..., :height, :width])
        check_finite(part)
        return part

    polygons = how.outline == "polygon"
    assert how.least is not None
    if isinstance(form, BoxTable):
        return box_corners(form, place, least=how.least)
    if isinstance(form, TextProbability):
        assert how.binary is not None
        assert how.expand is not None
        return map_outlines(
            own(form.probability),
            polygons=polygons,
            binary=how.binary,
            least=how.least,
            expand=how.expand,
        )
    if isinstance(form, TextKernels):
        assert how.binary is not None
        logits = own(form.logits)
        return kernel_outlines(logits, size, polygons=polygons, binary=how.binary, least=how.least)
    if isinstance(form, TurnedBoxes):
        return box_outlines(own(form.scores), own(form.boxes), size, least=how.least)
    if isinstance(form, TextEnds):
        return end_outlines(own(form.maps), size, least=how.least)
    if isinstance(form, TextColumns):
        assert how.binary is not None
        scores, offsets = own(form.scores), own(form.offsets)
        return column_outlines(scores, offsets, size, binary=how.binary, least=how.least)
    assert isinstance(form, TextCurves)
    return curve_outlines([own(level) for level in form.levels], size, least=how.least)


def _masked(
    form: MaskedTable, place: int, geometry: Geometry, how: RegionContract
) -> list[Outline]:
    """The texts of one picture of the batch that are masks of boxes, in pixels of the picture."""
    assert how.binary is not None
    assert how.least is not None
    return mask_outlines(form, place, geometry, binary=how.binary, least=how.least)


def _in_picture(outline: Outline, geometry: Geometry) -> Outline:
    """The outline in whole pixels of the picture, cut at its edges."""
    height, width = geometry.picture
    points = np.round(geometry.points_to_picture(outline.points.astype(np.float32)))
    points = np.clip(points, 0, np.array([width - 1, height - 1], np.float32))
    return Outline(points, outline.score)


def _area(outline: Outline) -> TextArea:
    """An outline in pixels of the picture, as a result."""
    return TextArea(tuple((float(x), float(y)) for x, y in outline.points), outline.score)
