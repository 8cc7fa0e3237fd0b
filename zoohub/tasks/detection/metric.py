"""How good a detector is, by COCO's protocol (pycocotools)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted
from zoohub.errors import DataError, ZoohubError
from zoohub.inputs.picture import Geometry
from zoohub.outputs import Form, MaskedBoxes, MaskedTable
from zoohub.tasks.contract import Figures, Metric, Row
from zoohub.tasks.detection.interpret import Measured, interpret_boxes
from zoohub.tasks.detection.samples import Boxes, Objects
from zoohub.tasks.results import Json, Label


class Detection(Metric):
    """What is found in pictures beside what is there, by the rules of the publisher's evaluation.

    The figures are `{count, boxes, map, map50, map75, per_class: {name: {map, map50, boxes}}}`,
    precisions from 0 to 1; a class without a box has None for both. Of a network with masks, on
    data that has them, `mask_map`, `mask_map50` and `mask_map75` too.

    Raises:
        ZoohubError: pycocotools is not installed.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self._found: list[tuple[Label, ...]] = []
        self._there: list[Objects] = []
        self._masks: list[PictureMasks] = []

    def add(self, form: Form, rows: Sequence[Row], targets: Sequence[Objects]) -> None:
        """See `Metric`."""
        found = interpret_boxes(form, rows, self.classes, Measured())
        if isinstance(form, MaskedBoxes | MaskedTable):
            for labels, row, objects in zip(found, rows, targets, strict=True):
                assert isinstance(row.geometry, Geometry)
                masks = [label.mask.to_json() for label in labels if label.mask is not None]
                self._masks.append(
                    PictureMasks(row.geometry.picture, masks if objects.shaped else [])
                )
            found = [tuple(replace(label, mask=None) for label in labels) for labels in found]
        self._found += found
        self._there += targets

    def figures(self) -> Figures:
        """See the class."""
        figures = score_detections(self._found, self._there, self.classes)
        if not self._masks or not all(objects.shaped for objects in self._there):
            return figures
        of_masks = score_detections(self._found, self._there, self.classes, self._masks)
        return {**figures, **{f"mask_{name}": of_masks[name] for name in ("map", "map50", "map75")}}


@dataclass(frozen=True, slots=True)
class PictureMasks:
    """The (height, width) of a picture and the mask of each label found in it, as COCO writes it:
    far smaller than its runs."""

    size: tuple[int, int]
    masks: Sequence[Mapping[str, Json]]


def score_detections(
    predictions: Sequence[Sequence[Label]],
    targets: Sequence[Objects],
    classes: Sequence[str],
    masks: Sequence[PictureMasks] | None = None,
) -> Figures:
    """COCO's figures of predictions on pictures with these objects, in their order: by the overlap
    of boxes, or where there are `masks`, of these with the objects' shapes."""
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
            f"there are no boxes in the {counted(len(targets), 'readable picture')} to evaluate on"
        )
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools talks to stdout
        truth = COCO()
        truth.dataset = _truth(targets, classes, masks)
        truth.createIndex()
        rows = _found(predictions, masks)
        if not rows:
            precision = np.zeros((10, 101, len(classes)))
            for index in range(len(classes)):
                if not any((objects.boxes[:, 0] == index).any() for objects in targets):
                    precision[:, :, index] = -1
        else:
            evaluation = COCOeval(truth, truth.loadRes(rows), "segm" if masks else "bbox")
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


def _truth(
    targets: Sequence[Objects], classes: Sequence[str], masks: Sequence[PictureMasks] | None
) -> dict[str, object]:
    annotations: list[dict[str, object]] = []
    for image, objects in enumerate(targets, 1):
        boxes = [*((box, 0) for box in objects.boxes), *((box, 1) for box in objects.crowds)]
        for place, (box, crowd) in enumerate(boxes):
            row = _annotation(len(annotations) + 1, image, box, crowd)
            annotations.append({**row, "segmentation": objects.shapes[place]} if masks else row)
    sizes = [picture.size for picture in masks or ()] or [(0, 0)] * len(targets)
    return {
        "info": {},
        "images": [{"id": i, "height": h, "width": w} for i, (h, w) in enumerate(sizes, 1)],
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


def _found(
    predictions: Sequence[Sequence[Label]], masks: Sequence[PictureMasks] | None
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for image, labels in enumerate(predictions, 1):
        for place, label in enumerate(labels):
            assert label.box is not None
            x1, y1, x2, y2 = label.box
            row: dict[str, object] = {
                "image_id": image,
                "category_id": label.index + 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "score": label.score,
            }
            if masks:
                row["segmentation"] = masks[image - 1].masks[place]
            rows.append(row)
    return rows
