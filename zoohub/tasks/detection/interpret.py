"""From a detector's candidates to the boxes that stay, in pixels of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry
from zoohub.outputs import Boxes, BoxTable, Form, MaskedBoxes, MaskedTable
from zoohub.outputs.boxes import SoftSuppression
from zoohub.outputs.form import check_finite
from zoohub.tasks.contract import Row, check_count
from zoohub.tasks.detection.masks import masks_of, pasted
from zoohub.tasks.detection.pictures import contract_of
from zoohub.tasks.detection.rules import BoxRules, measured_rules, shown_rules
from zoohub.tasks.detection.selection import Detections, select_detections, table_detections
from zoohub.tasks.detection.soft_suppression import weakened_scores
from zoohub.tasks.detection.suppression import bounded
from zoohub.tasks.options import option
from zoohub.tasks.results import Label, class_name

Floats = NDArray[np.float32]

_LAST_CLASS = 2**24 - 1  # from here on a table's float32 tells neighbours no longer apart


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """Which boxes are given: those that score above `threshold` (0 to 1).

    Above the overlap `iou` the weaker of two boxes of one class goes. With `multi_label` a box may
    have several classes. A picture has at most `max_detections`. None: as the publisher's own
    evaluation has it, see `BoxContract`.
    """

    threshold: float | None = option(
        None, "least score shown (the publisher's, or else 0.25, for detections)", metavar="P"
    )
    iou: float | None = None
    multi_label: bool | None = None
    max_detections: int | None = None

    def rules(self, row: Row) -> BoxRules:
        """How the boxes of this picture are chosen."""
        return shown_rules(
            contract_of(row),
            threshold=self.threshold,
            iou=self.iou,
            multi_label=self.multi_label,
            most=self.max_detections,
        )


class Measured:
    """Which boxes `eval` counts."""

    def rules(self, row: Row) -> BoxRules:
        """How the boxes of this picture are chosen."""
        return measured_rules(contract_of(row))


Choosing: TypeAlias = DetectionOptions | Measured


def interpret_boxes(
    form: Form,
    rows: Sequence[Row],
    names: tuple[str, ...] | None,
    options: Choosing,
) -> list[tuple[Label, ...]]:
    """The boxes of each picture, best first; none without an area in it, such as one that lies in
    the letterbox's edge."""
    found = _interpreted(form, rows, names, options)
    return [tuple(label for label in labels if _has_area(label)) for labels in found]


def _has_area(label: Label) -> bool:
    assert label.box is not None
    x1, y1, x2, y2 = label.box
    return x2 > x1 and y2 > y1


def _interpreted(
    form: Form,
    rows: Sequence[Row],
    names: tuple[str, ...] | None,
    options: Choosing,
) -> list[tuple[Label, ...]]:
    """The boxes of each picture, best first."""
    if isinstance(form, MaskedBoxes):
        return _masked(form, rows, names, options)
    if isinstance(form, MaskedTable):
        return _with_own_masks(form, rows, names, options)
    found = _detect(form, rows, names, options)
    if isinstance(form, Boxes) and form.points is not None:
        check_finite(form.points)
        each = zip(found, rows, form.points, strict=True)
        return [
            _with_points(_in_picture(boxes, row, names), boxes, row, points)
            for boxes, row, points in each
        ]
    return [_in_picture(boxes, row, names) for boxes, row in zip(found, rows, strict=True)]


def _masked(
    form: MaskedBoxes,
    rows: Sequence[Row],
    names: tuple[str, ...] | None,
    options: Choosing,
) -> list[tuple[Label, ...]]:
    """The same with masks."""
    found = _detect(form.boxes, rows, names, options)
    check_finite(form.prototypes)
    results = []
    for picture, (boxes, row) in enumerate(zip(found, rows, strict=True)):
        assert isinstance(row.geometry, Geometry)
        height, width = row.inputs["image"].shape[-2:]
        masks = masks_of(form, picture, boxes, row.geometry, (height, width))
        labels = _in_picture(boxes, row, names)
        results.append(
            tuple(replace(label, mask=mask) for label, mask in zip(labels, masks, strict=True))
        )
    return results


def _with_own_masks(
    form: MaskedTable,
    rows: Sequence[Row],
    names: tuple[str, ...] | None,
    options: Choosing,
) -> list[tuple[Label, ...]]:
    """Boxes that bring a mask each."""
    found = _detect(form.table, rows, names, options)
    check_finite(form.masks)
    results = []
    for boxes, row in zip(found, rows, strict=True):
        assert isinstance(row.geometry, Geometry)
        corners = row.geometry.to_picture(boxes.boxes)
        masks = form.masks[boxes.candidates]
        results.append(
            tuple(
                replace(label, mask=pasted(mask, box, row.geometry.picture))
                for label, mask, box in zip(
                    _in_picture(boxes, row, names), masks, corners, strict=True
                )
            )
        )
    return results


def _detect(
    form: Form,
    rows: Sequence[Row],
    names: tuple[str, ...] | None,
    options: Choosing,
) -> list[Detections]:
    """The boxes of each picture, in pixels of the network's input."""
    if isinstance(form, BoxTable):
        table = form.rows
        check_finite(table)
        _check_classes(table[:, 6], names)
        if form.soft is not None:
            table = _weakened(table, form.soft, rows)
        # The rows of a batch are of one network.
        return table_detections(table, len(rows), options.rules(rows[0]) if rows else None)
    if not isinstance(form, Boxes):
        raise DataError(f"expected boxes from the network; it gives {type(form).__name__}")
    check_count(form.scores.shape[2], names)
    for values in (form.boxes, form.objectness, form.scores):
        if values is not None:
            check_finite(values)
    return [
        select_detections(form, picture, options.rules(row), to_picture=_to_picture(row))
        for picture, row in enumerate(rows)
    ]


def _check_classes(classes: Floats, names: tuple[str, ...] | None) -> None:
    """That a table's classes are there. Raises DataError: they are not."""
    if len(classes) and classes.min() < 0:
        raise DataError(
            f"the network's table of boxes has the class {classes.min():g}; classes count from 0"
        )
    if len(classes) and classes.max() > _LAST_CLASS:
        raise DataError(
            f"the network's table of boxes has the class {classes.max():g}; the last there can be "
            f"is {_LAST_CLASS}"
        )
    if names is not None and len(classes):
        check_count(max(len(names), int(classes.max()) + 1), names)


def _to_picture(row: Row) -> Callable[[Floats], Floats]:
    """What brings corners (n, 4) from pixels of the input to the picture's own."""
    geometry = row.geometry
    assert isinstance(geometry, Geometry)

    def moved(corners: Floats) -> Floats:
        return geometry.points_to_picture(corners.reshape(-1, 2, 2)).reshape(-1, 4)

    return moved


def _weakened(table: Floats, how: SoftSuppression, rows: Sequence[Row]) -> Floats:
    """The table with the scores that are left of boxes which overlap in their picture."""
    table = table.copy()
    for picture, row in enumerate(rows):
        own = table[:, 0] == picture
        corners = _to_picture(row)(bounded(table[own, 1:5]))
        classes = table[own, 6].astype(np.int64)
        table[own, 5] = weakened_scores(corners, table[own, 5], classes, how)
    return table


def _with_points(
    labels: tuple[Label, ...], found: Detections, row: Row, points: NDArray[np.float32]
) -> tuple[Label, ...]:
    """The labels with the points of their candidates, of all (candidates, points, 2) of these."""
    assert isinstance(row.geometry, Geometry)
    own = row.geometry.points_to_picture(points[found.candidates])
    return tuple(
        replace(label, landmarks=tuple((float(x), float(y)) for x, y in each))
        for label, each in zip(labels, own, strict=True)
    )


def _in_picture(found: Detections, row: Row, names: tuple[str, ...] | None) -> tuple[Label, ...]:
    """Boxes as labels, in pixels of the picture they were found in."""
    assert isinstance(row.geometry, Geometry)
    corners = row.geometry.to_picture(found.boxes).tolist()
    return tuple(
        Label(class_name(index, names), index, score, (x1, y1, x2, y2))
        for (x1, y1, x2, y2), index, score in zip(
            corners, found.classes.tolist(), found.scores.tolist(), strict=True
        )
    )
