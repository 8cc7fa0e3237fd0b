"""From a YOLO network's output to final boxes, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.outputs.boxes import Boxes

CONFIDENCE = 0.25  # mindyolo's threshold for pictures; its evaluation uses 0.001
IOU = 0.65  # mindyolo's for both
MAX_DETECTIONS = 300
MAX_CANDIDATES = 30_000

# Candidates compared with each other at a time: few at first, when none is beaten yet.
_FIRST_BLOCK, _BLOCK = 64, 512
_TINY = 1e-6  # keeps the overlap of two empty boxes finite


@dataclass(frozen=True, slots=True)
class Detections:
    """The boxes found in one picture, best first.

    `boxes` is float32 (n, 4), `x1 y1 x2 y2` in pixels; `scores` float32 (n,) in 0..1; `classes`
    int64 (n,) indices; `candidates` int64 (n,) says which of the network's boxes each is.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    candidates: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)


def table_detections(
    table: NDArray[np.floating],
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
        rows = np.flatnonzero((table[:, 0] == picture) & (table[:, 5] > confidence))
        rows = rows[np.argsort(-table[rows, 5], kind="stable")][:max_detections]
        own = table[rows]
        boxes, scores = own[:, 1:5].astype(np.float32), own[:, 5].astype(np.float32)
        found.append(Detections(boxes, scores, own[:, 6].astype(np.int64), rows))
    return found


def select_detections(
    found: Boxes,
    picture: int,
    *,
    confidence: float = CONFIDENCE,
    iou: float = IOU,
    multi_label: bool = False,
    max_detections: int = MAX_DETECTIONS,
    max_candidates: int = MAX_CANDIDATES,
) -> Detections:
    """The final boxes of one picture of a batch.

    A box's score for a class is its objectness times the class's score (the objectness alone where
    there is one class, the class's score where there is no objectness). Candidates score above
    `confidence`; of boxes of one class that overlap by more than `iou` the best stays. Equal
    scores keep the network's order.

    Args:
        found: the candidates of the batch.
        picture: which of its pictures.
        multi_label: let a box be a candidate for every class whose score is high enough, as
            mindyolo's evaluation does, instead of for its best class only.
        max_detections: how many boxes to give at most.
        max_candidates: how many candidates, the best ones, overlap is looked at for.
    """
    likely, scores = _likely(found, picture, confidence)
    candidates = found.boxes[picture][likely]
    if multi_label:
        rows, classes = np.nonzero(scores > confidence)
        chosen = scores[rows, classes]
    else:
        rows = np.flatnonzero((scores > confidence).any(axis=1))
        classes = scores[rows].argmax(axis=1)
        chosen = scores[rows, classes]
    order = np.argsort(-chosen, kind="stable")[:max_candidates]
    classes, chosen = classes[order].astype(np.int64), chosen[order]
    centres, halves = candidates[rows[order], :2], candidates[rows[order], 2:] / 2
    boxes = np.concatenate([centres - halves, centres + halves], axis=1)
    kept = non_max_suppression(boxes, classes, iou=iou, limit=max_detections)
    return Detections(boxes[kept], chosen[kept], classes[kept], likely[rows[order]][kept])


def _likely(
    found: Boxes, picture: int, confidence: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Which boxes of a picture may have an object in them, and their scores by class."""
    scores = found.scores[picture]
    if found.objectness is None:
        return np.arange(len(scores)), scores
    likely = np.flatnonzero(found.objectness[picture] > confidence)
    objectness, scores = found.objectness[picture][likely, None], scores[likely]
    return likely, objectness if scores.shape[1] == 1 else scores * objectness


def non_max_suppression(
    boxes: NDArray[np.float32], classes: NDArray[np.int64], *, iou: float, limit: int
) -> NDArray[np.intp]:
    """Indices of the boxes that stay, at most `limit`, in order.

    `boxes` (n, 4) `x1 y1 x2 y2` come best first. A box goes if it overlaps an earlier one of its
    class that stays by more than `iou`, as a part of their union.
    """
    kept = np.empty(0, np.intp)
    start, size = 0, _FIRST_BLOCK
    while start < len(boxes) and len(kept) < limit:
        block = np.arange(start, min(start + size, len(boxes)))
        start, size = start + size, min(2 * size, _BLOCK)
        beaten = _overlaps(boxes, classes, kept, block, iou).any(axis=0)
        block = block[~beaten]
        rivals = _overlaps(boxes, classes, block, block, iou)
        alive = np.ones(len(block), bool)
        for position in range(len(block)):
            if alive[position]:
                alive[position + 1 :] &= ~rivals[position, position + 1 :]
        kept = np.concatenate([kept, block[alive]])
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
