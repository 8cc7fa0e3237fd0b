"""From a detector's candidates to final boxes, in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.outputs.boxes import Boxes
from zoohub.tasks.detection.rules import SOFT, BoxRules
from zoohub.tasks.detection.soft_suppression import weakened_scores
from zoohub.tasks.detection.suppression import bounded, non_max_suppression

MAX_CANDIDATES = 30_000
FEW = 1000

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Detections:
    """The boxes found in one picture, best first.

    `boxes` is float32 (n, 4), `x1 y1 x2 y2` in pixels; `scores` float32 (n,) in 0..1; `classes`
    int64 (n,) indices; `candidates` int64 (n,) says which of the network's boxes each is.
    """

    boxes: Floats
    scores: Floats
    classes: NDArray[np.int64]
    candidates: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)


def table_detections(
    table: NDArray[np.floating], count: int, rules: BoxRules | None = None
) -> list[Detections]:
    """The boxes of each of `count` pictures, from the table of a network with NMS of its own.

    `table` is (n, 7): picture's index, x1, y1, x2, y2 in pixels of the input, score, class, as
    `zoohub export --nms` makes it. Boxes that score above the rules' threshold come best first,
    equal scores in the table's order, at most the rules' `most` a picture.
    """
    rules = rules or BoxRules()
    found = []
    for picture in range(count):
        rows = np.flatnonzero((table[:, 0] == picture) & (table[:, 5] > rules.least))
        rows = rows[np.argsort(-table[rows, 5], kind="stable")][: rules.most]
        own = table[rows]
        boxes, scores = own[:, 1:5].astype(np.float32), own[:, 5].astype(np.float32)
        found.append(Detections(boxes, scores, own[:, 6].astype(np.int64), rows))
    return found


def select_detections(
    found: Boxes,
    picture: int,
    rules: BoxRules | None = None,
    *,
    to_picture: Callable[[Floats], Floats] | None = None,
    max_candidates: int = MAX_CANDIDATES,
) -> Detections:
    """The final boxes of one picture of a batch, in pixels of the input.

    A box's score for a class is its objectness times the class's score (the objectness alone where
    there is one class, the class's score where there is no objectness). Equal scores keep the
    network's order.

    Args:
        found: the candidates of the batch.
        picture: which of its pictures.
        rules: how they are chosen; None: as by default.
        to_picture: brings corners (n, 4) from pixels of the input to the picture's own, where the
            rules count these; None: they are the same.
        max_candidates: how many candidates, the best ones, overlap is looked at for.
    """
    rules = rules or BoxRules()
    rows, classes, chosen = _candidates(found, picture, rules)
    order = best_first(chosen)[:max_candidates]
    rows, classes, chosen = rows[order], classes[order], chosen[order]
    boxes = _corners(found.boxes[picture][rows])
    measured = boxes
    if rules.inclusive == "picture" and to_picture is not None:
        measured = to_picture(boxes)
    if rules.soft:
        in_order = rules.suppression == "soft_in_order"
        chosen = weakened_scores(measured, chosen, classes, SOFT, in_order=in_order)
        kept = np.argsort(-chosen, kind="stable")
        kept = kept[chosen[kept] > rules.least]
    else:
        kept = _unsuppressed(measured, classes, rules)
    kept = kept[: rules.most]
    return Detections(boxes[kept], chosen[kept], classes[kept], rows[kept])


def best_first(scores: Floats) -> NDArray[np.int64]:
    """The places of scores of at least 0, none of them NaN, in their order; equal ones as they
    come. One whole number for both sorts in a seventh to two thirds of the time."""
    keys = scores.view(np.int32).astype(np.int64)  # ordered as the scores are
    np.negative(keys, out=keys)
    keys <<= 32
    keys += np.arange(len(keys))
    keys.sort()
    keys &= 0xFFFFFFFF
    return keys


def _candidates(
    found: Boxes, picture: int, rules: BoxRules
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Which boxes of a picture are good enough, for which class, and their scores: for each class
    that they are good enough for, or for the best of each box."""
    scores = found.scores[picture]
    if found.objectness is None:
        table = scores if found.packed is None else found.packed[picture]
        rows, classes = _passing(table, scores, rules)
        likely, chosen = np.arange(len(scores)), scores[rows, classes]
        alone = chosen
    else:
        objectness = found.objectness[picture]
        likely = np.flatnonzero(objectness > rules.confidence)
        objectness, scores = objectness[likely], scores[likely]
        if scores.shape[1] > 1 and rules.multi_label:
            products = scores * objectness[:, None]
            rows, classes = _passing(products, products, rules)
            chosen, alone = products[rows, classes], scores[rows, classes]
        else:
            # The class that is best alone is best with the objectness.
            rows, classes = np.arange(len(likely)), scores.argmax(axis=1)
            alone = scores[rows, classes]
            chosen = objectness if scores.shape[1] == 1 else alone * objectness
    good = chosen > rules.confidence  # which NaN is not
    if rules.class_confidence > 0:
        good &= alone > rules.class_confidence
    return likely[rows[good]], classes[good], chosen[good]


def _passing(
    table: Floats, scores: Floats, rules: BoxRules
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and classes of the scores (n, classes) that pass: all, or the best of each row. `table`
    has the scores as its last columns."""
    good = table > rules.confidence
    first = table.shape[1] - scores.shape[1]
    good[:, :first] = False
    if rules.multi_label:
        # Of a hundred thousand scores a few pass: their places once, instead of row by row.
        rows, columns = np.divmod(np.flatnonzero(good), table.shape[1])
        return rows, columns - first
    rows = np.flatnonzero(good.any(axis=1))  # reads a fourth of what the best scores would
    return rows, scores[rows].argmax(axis=1)  # of equal scores the first class


def _corners(boxes: Floats) -> Floats:
    """Centres and sizes (n, 4) as `x1 y1 x2 y2`."""
    x_y, sizes = np.ascontiguousarray(bounded(boxes).T).reshape(2, 2, -1)
    sizes /= 2
    # Each coordinate in one piece, which is how overlaps want them.
    return np.concatenate([x_y - sizes, x_y + sizes]).T


def _unsuppressed(boxes: Floats, classes: NDArray[np.int64], rules: BoxRules) -> NDArray[np.intp]:
    """Indices of the boxes that stay, in order."""

    def stay(boxes: Floats, classes: NDArray[np.int64], limit: int) -> NDArray[np.intp]:
        return non_max_suppression(
            boxes,
            classes,
            iou=rules.iou,
            limit=limit,
            pixel=0.0 if rules.inclusive is None else 1.0,
            by_distance=rules.suppression == "diou",
        )

    most = rules.most_of_class
    # Together they end with the last that is wanted; many of which all may stay are quicker apart.
    if most is None and (rules.most < len(boxes) or len(boxes) <= FEW):
        return stay(boxes, classes, rules.most)
    kept = [np.empty(0, np.intp)]
    for label in np.unique(classes):
        own = np.flatnonzero(classes == label)
        kept.append(own[stay(boxes[own], classes[own], len(own) if most is None else most)])
    return np.sort(np.concatenate(kept))
