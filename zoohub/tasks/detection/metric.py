"""How good a detector is, by COCO's protocol (pycocotools)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError, ZoohubError
from zoohub.outputs import Form
from zoohub.tasks.contract import Figures, Metric, Row
from zoohub.tasks.detection.interpret import DetectionOptions, interpret_boxes
from zoohub.tasks.detection.samples import Boxes, Objects
from zoohub.tasks.results import Label

# mindyolo's evaluation.
MEASURING = DetectionOptions(threshold=0.001, multi_label=True)


class Detection(Metric):
    """What is found in pictures beside what is there, with mindyolo's thresholds.

    The figures are `{count, boxes, map, map50, map75, per_class: {name: {map, map50, boxes}}}`,
    precisions from 0 to 1; a class without a box has None for both.

    Raises:
        ZoohubError: pycocotools is not installed.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self._found: list[tuple[Label, ...]] = []
        self._there: list[Objects] = []

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Objects]) -> None:
        """See `Metric`."""
        self._found += interpret_boxes(form, rows, self.classes, MEASURING)
        self._there += targets

    def figures(self) -> Figures:
        """See the class."""
        return score_detections(self._found, self._there, self.classes)


def score_detections(
    predictions: Sequence[Sequence[Label]], targets: Sequence[Objects], classes: Sequence[str]
) -> Figures:
    """COCO's figures of predictions on pictures with these objects, in their order."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        raise ZoohubError(
            "evaluating a detector needs pycocotools: pip install 'zoohub[detection]'"
        ) from None
    count = sum(len(objects.boxes) for objects in targets)
    if not count:
        raise DataError(
            f"there are no boxes in the {len(targets)} readable pictures to evaluate on"
        )
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools talks to stdout
        truth = COCO()
        truth.dataset = _truth(targets, classes)
        truth.createIndex()
        rows = _found(predictions)
        if not rows:
            precision = np.zeros((10, 101, len(classes)))
            for index in range(len(classes)):
                if not any((objects.boxes[:, 0] == index).any() for objects in targets):
                    precision[:, :, index] = -1
        else:
            evaluation = COCOeval(truth, truth.loadRes(rows), "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            # thresholds, recalls, classes, areas (all first), detections (100 last)
            precision = evaluation.eval["precision"][:, :, :, 0, -1]
    counts = np.bincount(
        np.concatenate([objects.boxes[:, 0] for objects in targets]).astype(np.int64),
        minlength=len(classes),
    )
    return {
        "count": len(targets),
        "boxes": count,
        **_means(precision),
        "per_class": {
            name: {**_means(precision[:, :, [i]], ("map", "map50")), "boxes": int(counts[i])}
            for i, name in enumerate(classes)
        },
    }


def _means(
    precision: NDArray[np.float64], names: Sequence[str] = ("map", "map50", "map75")
) -> dict[str, float | None]:
    """Mean precisions over what is known of (10 thresholds from .5 to .95, recalls, classes)."""
    parts = {"map": precision, "map50": precision[0], "map75": precision[5]}
    known = {name: parts[name][parts[name] > -1] for name in names}
    return {name: float(part.mean()) if part.size else None for name, part in known.items()}


def _truth(targets: Sequence[Objects], classes: Sequence[str]) -> dict[str, object]:
    annotations: list[dict[str, object]] = []
    for image, objects in enumerate(targets, 1):
        for group, crowd in ((objects.boxes, 0), (objects.crowds, 1)):
            for box in group:
                annotations.append(_annotation(len(annotations) + 1, image, box, crowd))
    return {
        "info": {},
        "images": [{"id": i} for i in range(1, len(targets) + 1)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(classes, 1)],
        "annotations": annotations,
    }


def _annotation(number: int, image: int, box: Boxes, crowd: int) -> dict[str, object]:
    x1, y1, x2, y2 = (float(value) for value in box[1:])
    return {
        "id": number,
        "image_id": image,
        "category_id": int(box[0]) + 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": (x2 - x1) * (y2 - y1),
        "iscrowd": crowd,
    }


def _found(predictions: Sequence[Sequence[Label]]) -> list[dict[str, object]]:
    rows = []
    for image, labels in enumerate(predictions, 1):
        for label in labels:
            assert label.box is not None
            x1, y1, x2, y2 = label.box
            rows.append(
                {
                    "image_id": image,
                    "category_id": label.index + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "score": label.score,
                }
            )
    return rows
