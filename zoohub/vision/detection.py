"""From a YOLO network's output to final boxes, in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError

CONFIDENCE = 0.25  # mindyolo's threshold for pictures; its evaluation uses 0.001
IOU = 0.65  # mindyolo's for both
MAX_DETECTIONS = 300
MAX_CANDIDATES = 30_000

_BLOCK = 512  # candidates compared with each other at a time
_TINY = 1e-6  # keeps the overlap of two empty boxes finite


@dataclass(frozen=True, slots=True)
class Detections:
    """The boxes found in one picture, best first.

    `boxes` is float32 (n, 4), `x1 y1 x2 y2` in pixels; `scores` float32 (n,) in 0..1; `classes`
    int64 (n,) indices.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)


def decoded_prediction(
    outputs: Sequence[NDArray[Any]], size: tuple[int, int]
) -> NDArray[np.float32]:
    """A YOLO network's decoded boxes, whatever form it gives them in.

    Args:
        outputs: the network's outputs. Either the first is (N, boxes, 5 + classes), in pixels of
            the input (mindyolo), or all are (N, h, w, anchors, 5 + classes), in fractions of the
            input (the models repository's YOLOv5).
        size: (height, width) of the network's input in pixels.

    Returns:
        float32 (N, boxes, 5 + classes): centre x, centre y, width, height in pixels of the input,
        objectness, class scores in 0..1.

    Raises:
        DataError: the outputs have neither form.
    """
    first: NDArray[Any] = outputs[0]
    if first.ndim == 3 and first.shape[2] > 5:
        prediction: NDArray[np.float32] = first.astype(np.float32, copy=False)
        return prediction
    fields = first.shape[-1]
    if fields <= 5 or any(o.ndim != 5 or o.shape[-1] != fields for o in outputs):
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise DataError(
            "these are not a detector's outputs: expected (N, boxes, 5 + classes) first, or maps "
            f"(N, h, w, anchors, 5 + classes); got {shapes}"
        )
    flat = [output.reshape(len(output), -1, fields) for output in outputs]
    prediction = np.concatenate(flat, axis=1).astype(np.float32)
    prediction[..., :4] *= np.array([size[1], size[0]] * 2, np.float32)
    return prediction


def table_detections(
    table: NDArray[Any],
    count: int,
    *,
    confidence: float = CONFIDENCE,
    max_detections: int = MAX_DETECTIONS,
) -> list[Detections]:
    """The boxes of each of `count` pictures, from the table of a network with NMS of its own.

    `table` is (n, 7): picture's index, x1, y1, x2, y2 in pixels of the input, score, class, as
    `zoohub export --nms` makes it. Boxes that score above `confidence` come best first, equal
    scores in the table's order, at most `max_detections` a picture.
    """
    found = []
    for picture in range(count):
        own = table[(table[:, 0] == picture) & (table[:, 5] > confidence)]
        own = own[np.argsort(-own[:, 5], kind="stable")][:max_detections]
        scores = own[:, 5].astype(np.float32)
        found.append(Detections(own[:, 1:5].astype(np.float32), scores, own[:, 6].astype(np.int64)))
    return found


def select_detections(
    prediction: NDArray[np.float32],
    *,
    confidence: float = CONFIDENCE,
    iou: float = IOU,
    multi_label: bool = False,
    max_detections: int = MAX_DETECTIONS,
    max_candidates: int = MAX_CANDIDATES,
) -> Detections:
    """The final boxes of one picture.

    A box's score for a class is its objectness times the class's score (the objectness alone where
    there is one class). Candidates score above `confidence`; of boxes of one class that overlap by
    more than `iou` the best stays. Equal scores keep the network's order.

    Args:
        prediction: float32 (boxes, 5 + classes), as `decoded_prediction` gives it.
        multi_label: let a box be a candidate for every class whose score is high enough, as
            mindyolo's evaluation does, instead of for its best class only.
        max_detections: how many boxes to give at most.
        max_candidates: how many candidates, the best ones, overlap is looked at for.
    """
    likely = prediction[prediction[:, 4] > confidence]
    scores = likely[:, 4:5] if likely.shape[1] == 6 else likely[:, 5:] * likely[:, 4:5]
    if multi_label:
        rows, classes = np.nonzero(scores > confidence)
        chosen = scores[rows, classes]
    else:
        best = scores.argmax(axis=1)
        rows = np.flatnonzero(scores[np.arange(len(scores)), best] > confidence)
        classes = best[rows]
        chosen = scores[rows, classes]
    order = np.argsort(-chosen, kind="stable")[:max_candidates]
    classes, chosen = classes[order].astype(np.int64), chosen[order]
    centres, halves = likely[rows[order], :2], likely[rows[order], 2:4] / 2
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    kept = non_max_suppression(boxes, classes, iou=iou, limit=max_detections)
    return Detections(boxes[kept], chosen[kept], classes[kept])


def non_max_suppression(
    boxes: NDArray[np.float32], classes: NDArray[np.int64], *, iou: float, limit: int
) -> NDArray[np.intp]:
    """Indices of the boxes that stay, at most `limit`, in order.

    `boxes` (n, 4) `x1 y1 x2 y2` come best first. A box goes if it overlaps an earlier one of its
    class that stays by more than `iou`, as a part of their union.
    """
    kept = np.empty(0, np.intp)
    for start in range(0, len(boxes), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(boxes)))
        beaten = _overlaps(boxes, classes, kept, block, iou).any(axis=0)
        block = block[~beaten]
        rivals = _overlaps(boxes, classes, block, block, iou)
        alive = np.ones(len(block), bool)
        for position in range(len(block)):
            if alive[position]:
                alive[position + 1 :] &= ~rivals[position, position + 1 :]
        kept = np.concatenate([kept, block[alive]])
        if len(kept) >= limit:
            break
    return kept[:limit]


def _overlaps(
    boxes: NDArray[np.float32],
    classes: NDArray[np.int64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    iou: float,
) -> NDArray[np.bool_]:
    """(rows, columns): whether two boxes are of one class and overlap by more than `iou`."""
    first, second = boxes[rows].T[..., None], boxes[columns].T[:, None]
    width = np.minimum(first[2], second[2]) - np.maximum(first[0], second[0])
    height = np.minimum(first[3], second[3]) - np.maximum(first[1], second[1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (first, second)]
    same = classes[rows, None] == classes[None, columns]
    overlaps: NDArray[np.bool_] = same & (shared / (areas[0] + areas[1] - shared + _TINY) > iou)
    return overlaps
