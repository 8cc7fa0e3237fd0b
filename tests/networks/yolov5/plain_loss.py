"""YOLOv5's loss the slow way: plain loops in float64, to compare the compiled one with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Frozen = list[tuple[np.ndarray[Any, Any], dict[tuple[int, ...], float]]]


def plain_loss(
    maps: list[np.ndarray[Any, Any]],
    boxes: list[list[tuple[float, ...]]],
    anchors: np.ndarray[Any, Any],
    strides: list[int],
    *,
    ratio: float = 4.0,
    gains: tuple[float, float, float] = (0.05, 1.0, 0.5),
    balance: tuple[float, ...] = (4.0, 1.0, 0.4),
    frozen: Frozen | None = None,
) -> tuple[float, Frozen]:
    """The loss of raw maps (B, A, H, W, 5 + classes) and boxes (class, x, y, w, h in pixels).

    `frozen` holds what no gradient goes through (objectness wanted, the weight of CIoU's term for
    the shape): as returned by an earlier call, or None to compute it.
    """
    total, kept = 0.0, []
    for level, (raw, stride) in enumerate(zip(maps, strides, strict=True)):
        _, kinds, height, width, values = raw.shape
        box_losses, class_losses = [], []
        truth = np.zeros(raw.shape[:4])
        weights: dict[tuple[int, ...], float] = {}
        for picture, found in enumerate(boxes):
            for order, (label, px, py, pw, ph) in enumerate(found):
                x, y, w, h = px / stride, py / stride, pw / stride, ph / stride
                for kind in range(kinds):
                    aw, ah = anchors[level][kind]
                    if max(w / aw, aw / w, h / ah, ah / h) >= ratio:
                        continue
                    for column, row in answering_cells(x, y, width, height):
                        cell = raw[picture, kind, row, column]
                        s = 1 / (1 + np.exp(-cell[:4]))
                        guess = (
                            s[0] * 2 - 0.5 + column,
                            s[1] * 2 - 0.5 + row,
                            (s[2] * 2) ** 2 * aw,
                            (s[3] * 2) ** 2 * ah,
                        )
                        key = (picture, order, kind, row, column)
                        weight = frozen[level][1][key] if frozen else None
                        overlap, weights[key] = ciou(guess, (x, y, w, h), weight)
                        box_losses.append(1 - overlap)
                        place = (picture, kind, row, column)
                        truth[place] = max(truth[place], overlap)
                        class_losses.append(
                            np.mean(
                                [
                                    bce(cell[5 + c], 1.0 if c == label else 0.0)
                                    for c in range(values - 5)
                                ]
                            )
                        )
        if frozen:
            truth = frozen[level][0]
        objectness = np.mean(
            [bce(raw[place][4], truth[place]) for place in np.ndindex(raw.shape[:4])]
        )
        total += gains[1] * balance[level] * float(objectness)
        if box_losses:
            total += gains[0] * float(np.mean(box_losses)) + gains[2] * float(np.mean(class_losses))
        kept.append((truth, weights))
    return total, kept


def answering_cells(x: float, y: float, width: int, height: int) -> list[tuple[int, int]]:
    """The (column, row) of a centre's cell and of its nearer neighbours inside the map."""
    column, row = math.floor(x), math.floor(y)
    cells = [(column, row)]
    if x - column < 0.5 and column > 0:
        cells.append((column - 1, row))
    if x - column >= 0.5 and column + 1 < width:
        cells.append((column + 1, row))
    if y - row < 0.5 and row > 0:
        cells.append((column, row - 1))
    if y - row >= 0.5 and row + 1 < height:
        cells.append((column, row + 1))
    return cells


def ciou(
    one: tuple[float, ...], other: tuple[float, ...], weight: float | None
) -> tuple[float, float]:
    """CIoU of two boxes by centre and size, and the weight of its term for the shape."""
    (x, y, w, h), (x2, y2, w2, h2) = one, other
    left, right = min(x - w / 2, x2 - w2 / 2), max(x + w / 2, x2 + w2 / 2)
    top, bottom = min(y - h / 2, y2 - h2 / 2), max(y + h / 2, y2 + h2 / 2)
    across = min(x + w / 2, x2 + w2 / 2) - max(x - w / 2, x2 - w2 / 2)
    down = min(y + h / 2, y2 + h2 / 2) - max(y - h / 2, y2 - h2 / 2)
    shared = max(0.0, across) * max(0.0, down)
    iou = shared / (w * h + w2 * h2 - shared)
    apart = ((x - x2) ** 2 + (y - y2) ** 2) / ((right - left) ** 2 + (bottom - top) ** 2)
    shape = 4 / math.pi**2 * (math.atan(w2 / h2) - math.atan(w / h)) ** 2
    if weight is None:
        weight = shape / (1 - iou + shape)
    return iou - apart - weight * shape, weight


def bce(logit: float, truth: float) -> float:
    """Binary cross entropy of one logit."""
    return max(logit, 0) - logit * truth + math.log(1 + math.exp(-abs(logit)))
