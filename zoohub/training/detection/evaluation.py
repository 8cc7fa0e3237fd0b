"""How good a detector is, by COCO's protocol (pycocotools)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoohub.errors import DataError, ZoohubError
from zoohub.inference.predict import predict_inputs
from zoohub.inference.results import Prediction
from zoohub.inference.runner import Runner
from zoohub.manifest.entry import InputContract
from zoohub.training.data.batches import Note
from zoohub.training.detection.samples import Boxes, BoxSamples

# mindyolo's evaluation.
CONFIDENCE, IOU, MAX_DETECTIONS = 0.001, 0.65, 300


def evaluate_detection(
    runner: Runner,
    samples: BoxSamples,
    contract: InputContract,
    classes: Sequence[str],
    *,
    batch_size: int = 16,
    note: Note | None = None,
) -> dict[str, Any]:
    """The detector's precision on `samples`, with mindyolo's thresholds.

    Args:
        runner: the network.
        samples: pictures with boxes, their classes those of the network's outputs.
        contract: the network's input contract.
        classes: the network's class names.
        batch_size: pictures to a run of the network.
        note: is told of the pictures that cannot be read, which are left out of all figures, with
            their boxes; without it one such picture is an error.

    Returns:
        `{count, boxes, map, map50, map75, per_class: {name: {map, map50, boxes}}}`, precisions
        from 0 to 1; a class without a box in `samples` has None for both.

    Raises:
        DataError: there is no box to find, a picture cannot be read (with `note`: none can), or
            the network has another number of classes.
        ZoohubError: pycocotools is not installed.
    """
    found = list(
        predict_inputs(
            runner,
            list(samples.images),
            contract,
            task="object-detection",
            class_names=classes,
            batch_size=batch_size,
            threshold=CONFIDENCE,
            iou=IOU,
            multi_label=True,
            max_detections=MAX_DETECTIONS,
        )
    )
    predictions = found
    if note is not None:
        samples, predictions = readable(samples, predictions, note)
        if found and not predictions:
            raise DataError(
                f"none of the {len(found)} pictures can be read; first: {found[0].error}"
            )
    return score_detections(predictions, samples, classes)


def readable(
    samples: BoxSamples, predictions: Sequence[Prediction], note: Note
) -> tuple[BoxSamples, list[Prediction]]:
    """The samples that could be read, and their predictions; `note` is told of the others."""
    good = [place for place, prediction in enumerate(predictions) if prediction.error is None]
    for name, prediction in zip(samples.names, predictions, strict=True):
        if prediction.error is not None:
            note(name, prediction.error)
    return samples.take(good), [predictions[place] for place in good]


def score_detections(
    predictions: Sequence[Prediction], samples: BoxSamples, classes: Sequence[str]
) -> dict[str, Any]:
    """COCO's figures of predictions on the samples, in their order. See `evaluate_detection`."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError:
        raise ZoohubError(
            "evaluating a detector needs pycocotools: pip install 'zoohub[detection]'"
        ) from None
    unread = [prediction for prediction in predictions if prediction.error]
    if unread:
        raise DataError(f"{len(unread)} pictures cannot be read; first: {unread[0].error}")
    if not samples.box_count:
        count = len(samples)
        raise DataError(f"there are no boxes in the {count} readable pictures to evaluate on")
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools talks to stdout
        truth = COCO()
        truth.dataset = _truth(samples, classes)
        truth.createIndex()
        found = truth.loadRes(_found(predictions)) if _found(predictions) else None
        if found is None:
            precision = np.zeros((10, 101, len(classes)))
            for index in range(len(classes)):
                if not any((boxes[:, 0] == index).any() for boxes in samples.boxes):
                    precision[:, :, index] = -1
        else:
            evaluation = COCOeval(truth, found, "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            # thresholds, recalls, classes, areas (all first), detections (100 last)
            precision = evaluation.eval["precision"][:, :, :, 0, -1]
    counts = np.bincount(
        np.concatenate([boxes[:, 0] for boxes in samples.boxes]).astype(np.int64),
        minlength=len(classes),
    )
    return {
        "count": len(samples),
        "boxes": samples.box_count,
        **_means(precision),
        "per_class": {
            name: {**_means(precision[:, :, [i]], ("map", "map50")), "boxes": int(counts[i])}
            for i, name in enumerate(classes)
        },
    }


def _means(precision: Any, names: Sequence[str] = ("map", "map50", "map75")) -> dict[str, Any]:
    """Mean precisions over what is known of (10 thresholds from .5 to .95, recalls, classes)."""
    parts: Mapping[str, Any] = {"map": precision, "map50": precision[0], "map75": precision[5]}
    known = {name: parts[name][parts[name] > -1] for name in names}
    return {name: float(part.mean()) if part.size else None for name, part in known.items()}


def _truth(samples: BoxSamples, classes: Sequence[str]) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for image, boxes in enumerate(samples.boxes, 1):
        crowds = samples.crowds[image - 1] if samples.crowds else boxes[:0]
        for group, crowd in ((boxes, 0), (crowds, 1)):
            for box in group:
                annotations.append(_annotation(len(annotations) + 1, image, box, crowd))
    return {
        "info": {},
        "images": [{"id": i} for i in range(1, len(samples) + 1)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(classes, 1)],
        "annotations": annotations,
    }


def _annotation(number: int, image: int, box: Boxes, crowd: int) -> dict[str, Any]:
    x1, y1, x2, y2 = (float(value) for value in box[1:])
    return {
        "id": number,
        "image_id": image,
        "category_id": int(box[0]) + 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": (x2 - x1) * (y2 - y1),
        "iscrowd": crowd,
    }


def _found(predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    rows = []
    for image, prediction in enumerate(predictions, 1):
        for label in prediction.predictions:
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
