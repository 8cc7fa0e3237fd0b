"""From a detector's candidates to the boxes that stay, in pixels of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.inputs.picture import Geometry
from zoohub.outputs import Boxes, BoxTable, Form, MaskedBoxes, MaskedTable
from zoohub.outputs.boxes import SoftSuppression
from zoohub.outputs.form import check_finite
from zoohub.tasks.contract import Row, check_count
from zoohub.tasks.detection.masks import masks_of, pasted
from zoohub.tasks.detection.selection import (
    CONFIDENCE,
    IOU,
    MAX_DETECTIONS,
    Detections,
    select_detections,
    table_detections,
)
from zoohub.tasks.detection.soft_suppression import weakened_scores
from zoohub.tasks.options import option
from zoohub.tasks.results import Label, class_name


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """Which boxes are given: those that score above `threshold` (0 to 1).

    Above the overlap `iou` the weaker of two boxes of one class goes. With `multi_label` a box may
    have several classes, as in mindyolo's evaluation. A picture has at most `max_detections`.
    """

    threshold: float = option(CONFIDENCE, "least score shown (0.25 for detections)", metavar="P")
    iou: float = IOU
    multi_label: bool = False
    max_detections: int = MAX_DETECTIONS


def interpret_boxes(
    form: Form, rows: Sequence[Row], names: tuple[str, ...] | None, options: DetectionOptions
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
    form: Form, rows: Sequence[Row], names: tuple[str, ...] | None, options: DetectionOptions
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
    options: DetectionOptions,
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
    options: DetectionOptions,
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
    form: Form, rows: Sequence[Row], names: tuple[str, ...] | None, options: DetectionOptions
) -> list[Detections]:
    """The boxes of each picture, in pixels of the network's input."""
    if isinstance(form, BoxTable):
        table = form.rows
        check_finite(table)
        if names is not None and len(table):
            check_count(max(len(names), int(table[:, 6].max()) + 1), names)
        if form.soft is not None:
            table = _weakened(table, form.soft, rows)
        return table_detections(
            table, len(rows), confidence=options.threshold, max_detections=options.max_detections
        )
    if not isinstance(form, Boxes):
        raise DataError(f"expected boxes from the network; it gives {type(form).__name__}")
    check_count(form.scores.shape[2], names)
    for values in (form.boxes, form.objectness, form.scores):
        if values is not None:
            check_finite(values)
    return [
        select_detections(
            form,
            picture,
            confidence=options.threshold,
            iou=options.iou,
            multi_label=options.multi_label,
            max_detections=options.max_detections,
        )
        for picture in range(len(rows))
    ]


def _weakened(
    table: NDArray[np.float32], how: SoftSuppression, rows: Sequence[Row]
) -> NDArray[np.float32]:
    """The table with the scores that are left of boxes which overlap in their picture."""
    table = table.copy()
    for picture, row in enumerate(rows):
        assert isinstance(row.geometry, Geometry)
        own = table[:, 0] == picture
        corners = row.geometry.points_to_picture(table[own, 1:5].reshape(-1, 2, 2)).reshape(-1, 4)
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
