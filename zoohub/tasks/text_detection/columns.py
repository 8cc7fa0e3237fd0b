"""CTPN's rule: lines of text as rows of narrow boxes, one a column of 16 pixels.

Source: Tian et al., "Detecting Text in Natural Image with Connectionist Text Proposal Network"
(2016), as the evaluation of the models repository has it (official/cv/ctpn).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.outputs.form import Size
from zoohub.tasks.detection.suppression import bounded, non_max_suppression
from zoohub.tasks.text_detection.shapes import Map, Outline

_COLUMN = 16  # pixels
_HEIGHTS = np.array([2, 4, 7, 11, 16, 23, 33, 48, 68, 97, 139, 198, 283, 406])
_MOST_SEEN, _MOST_KEPT = 2000, 1000
_SAME, _TOUCHING = 0.7, 0.2  # overlaps from which the worse of two boxes goes
_GAP = 60  # pixels between the left sides of neighbours at most
_ALIKE = 0.7  # the least shared part of the lower one's height, and of its height of the other's
_NARROWEST = 32  # pixels; a line is wider,
_SLENDEREST = 0.5  # and its width is more than so many heights

_Floats = NDArray[np.float32]


def column_outlines(
    scores: Map, offsets: Map, size: Size, *, binary: float = 0.7, least: float = 0.9
) -> list[Outline]:
    """The lines of text on CTPN's maps, best first, each as the corners of its upright box; the
    score is the mean of its narrow boxes'.

    A box goes on in the nearest column to its right that has one as high at the same height. One in
    which none goes on begins a line, whose upper and lower side are straight lines fitted to those
    of its boxes.

    Args:
        scores: (14, h, w): how likely each of a cell's boxes is on a text.
        offsets: (56, h, w): of each box the offsets of its centre and logarithms of the sides', x
            and y, in units of its sides. Those along x are not trained, and not used.
        size: (height, width) of the input.
        binary: what a narrow box must exceed.
        least: what a line must reach.
    """
    boxes, likely = _narrow_boxes(scores, offsets, binary)
    found = [_line(boxes[row], likely[row], size) for row in _rows(boxes)]
    lines = [line for line in found if line.score >= least and _is_wide(line)]
    return sorted(lines, key=lambda line: -line.score)


def _narrow_boxes(scores: Map, offsets: Map, binary: float) -> tuple[_Floats, _Floats]:
    """The boxes (n, 4) on a text, best first, and their scores (n,)."""
    _, height, width = scores.shape
    flat = scores.transpose(1, 2, 0).reshape(-1)
    seen = np.argsort(-flat, kind="stable")[:_MOST_SEEN]
    moved = bounded(
        offsets.reshape(-1, 4, height, width).transpose(2, 3, 0, 1).reshape(-1, 4)[seen]
    )
    anchors = _anchors(height, width)[seen]
    # The last pixel belongs to an anchor, but not to what it becomes.
    sides = anchors[:, 2:] - anchors[:, :2] + 1
    centres = anchors[:, :2] + sides / 2
    centres[:, 1] += moved[:, 1] * sides[:, 1]
    with np.errstate(over="ignore"):
        sides[:, 1] *= np.exp(moved[:, 3])
    boxes = bounded(np.concatenate([centres - sides / 2, centres + sides / 2], axis=1))
    likely = flat[seen]
    kept = _apart(boxes, _SAME, 0)[:_MOST_KEPT]
    kept = kept[likely[kept] > binary]
    kept = kept[_apart(boxes[kept], _TOUCHING, 1)]
    return boxes[kept], likely[kept]


def _anchors(height: int, width: int) -> _Floats:
    """The boxes that cells start with, (h · w · 14, 4), their sides at whole pixels."""
    middle, zeros = (_COLUMN - 1) / 2, np.zeros_like(_HEIGHTS)
    upper, lower = np.trunc(middle - _HEIGHTS / 2), np.trunc(middle + _HEIGHTS / 2)
    own = np.stack([zeros, upper, zeros + _COLUMN - 1, lower], axis=1)
    y, x = np.mgrid[:height, :width] * _COLUMN
    shifts = np.stack([x, y, x, y], axis=2).reshape(-1, 1, 4)
    return (shifts + own).reshape(-1, 4).astype(np.float32)


def _apart(boxes: _Floats, overlap: float, pixel: float) -> NDArray[np.intp]:
    classes = np.zeros(len(boxes), np.int64)
    return non_max_suppression(boxes, classes, iou=overlap, limit=len(boxes), pixel=pixel)


def _rows(boxes: _Floats) -> list[list[int]]:
    """The boxes of each line, from left to right."""
    alike = _alike(boxes)
    left = boxes[:, 0].astype(int)
    following: dict[int, int] = {}
    for box in range(len(boxes)):
        gaps = np.where(alike[box] & (left > left[box]), left - left[box], _GAP + 1)
        nearest = int(gaps.argmin())  # a column has no two that are alike: they would overlap
        if gaps[nearest] <= _GAP:
            following[box] = nearest
    rows = []
    for box in following.keys() - following.values():
        rows.append([box])
        while rows[-1][-1] in following:
            rows[-1].append(following[rows[-1][-1]])
    return rows


def _alike(boxes: _Floats) -> NDArray[np.bool_]:
    """(n, n): whether two boxes are as high as each other and at the same height."""
    upper, lower = boxes[:, 1], boxes[:, 3]
    heights = lower - upper + 1
    lower_one = np.minimum(heights[:, None], heights)
    shared = np.minimum(lower[:, None], lower) - np.maximum(upper[:, None], upper) + 1
    similar = lower_one >= _ALIKE * np.maximum(heights[:, None], heights)
    both: NDArray[np.bool_] = (shared >= _ALIKE * lower_one) & similar
    return both


def _line(boxes: _Floats, scores: _Floats, size: Size) -> Outline:
    """The line that boxes (n, 4), from left to right, are the columns of."""
    left, right = boxes[:, 0].min(), boxes[:, 2].max()
    inset = (boxes[0, 2] - boxes[0, 0]) / 2
    ends = np.array([left + inset, right - inset])
    upper, lower = (np.polyval(np.polyfit(boxes[:, 0], boxes[:, side], 1), ends) for side in (1, 3))
    x = np.clip([left, right], 0, size[1] - 1)
    y = np.clip([upper.min(), lower.max()], 0, size[0] - 1)
    corners = [[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]]]
    return Outline(np.array(corners), float(scores.mean()))


def _is_wide(line: Outline) -> bool:
    """Whether it is longer than two columns, and no tower."""
    width, height = line.points[2] - line.points[0]
    return bool(width > _NARROWEST and width > _SLENDEREST * height)
