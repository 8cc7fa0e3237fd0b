"""Boxes that overlap a better one are weakened, not removed.

Source: Bodla et al., "Soft-NMS: Improving Object Detection With One Line of Code" (2017), with the
Gaussian weight and the boxes' extents of the evaluation of "Objects as Points" (2019), where a box
from pixel 0 to pixel 1 is two pixels wide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.outputs.boxes import SoftSuppression
from zoohub.tasks.detection.suppression import overlaps

Floats = NDArray[np.float32]

_PIXEL = 1.0


def weakened_scores(
    boxes: Floats,
    scores: Floats,
    classes: NDArray[np.int64],
    how: SoftSuppression,
    *,
    in_order: bool = False,
) -> Floats:
    """The scores (n,) of one picture's boxes (n, 4), `x1 y1 x2 y2`, in the boxes' order.

    Of each class the best box weakens all that overlap it, then the best of those left does, and
    so on; `in_order` the next is the one that scored best before any was weakened, as in the models
    repository's RetinaNets. What falls below `how.least` keeps its score and weakens none.
    """
    scores = scores.copy()
    for label in np.unique(classes):
        own = np.flatnonzero(classes == label)
        own = own[np.argsort(-scores[own], kind="stable")]
        scores[own] = _weakened(boxes[own], scores[own], how, in_order=in_order)
    return scores


def _weakened(boxes: Floats, scores: Floats, how: SoftSuppression, *, in_order: bool) -> Floats:
    """The scores of one class's boxes, which come best first."""
    scores = scores.copy()
    # Of thousands of boxes few lie so far to the left or right that they can overlap: from left to
    # right these are neighbours.
    along = np.argsort(boxes[:, 0], kind="stable")
    left, right = boxes[along, 0], boxes[along, 2]
    reach = float((right - left).max(initial=0)) + 2 * _PIXEL
    first = np.searchsorted(left, boxes[:, 0] - reach)
    last = np.searchsorted(left, boxes[:, 2] + 2 * _PIXEL)
    going = np.full(len(boxes), True)  # neither had their turn nor fell below the least
    while going.any():
        best = int((going if in_order else np.where(going, scores, -np.inf)).argmax())
        going[best] = False
        near = along[first[best] : last[best]]
        near = near[going[near]]
        shared = overlaps(boxes[best][None], boxes[near], pixel=_PIXEL)[0]
        near, shared = near[shared > 0], shared[shared > 0]
        scores[near] *= np.exp(-(shared**2) / how.sigma)
        going[near] = scores[near] >= how.least
    return scores
