"""Boxes that overlap a better one are weakened, not removed.

Source: Bodla et al., "Soft-NMS: Improving Object Detection With One Line of Code" (2017), with the
Gaussian weight and the boxes' extents of the evaluation of "Objects as Points" (2019), where a box
from pixel 0 to pixel 1 is two pixels wide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.outputs.boxes import SoftSuppression

Floats = NDArray[np.float32]


def weakened_scores(
    boxes: Floats, scores: Floats, classes: NDArray[np.int64], how: SoftSuppression
) -> Floats:
    """The scores (n,) of one picture's boxes (n, 4), `x1 y1 x2 y2`, in the boxes' order.

    Of each class the best box weakens all that overlap it, then the best of those left does, and
    so on; what falls below `how.least` keeps its score and weakens none.
    """
    scores = scores.copy()
    for label in np.unique(classes):
        left = np.flatnonzero(classes == label)
        while len(left) > 1:
            best = left[scores[left].argmax()]
            left = left[left != best]
            shared = _overlaps(boxes[best], boxes[left])
            scores[left] *= np.exp(-(shared**2) / how.sigma)
            left = left[(shared == 0) | (scores[left] >= how.least)]
    return scores


def _overlaps(box: Floats, others: Floats) -> Floats:
    """What a box (4,) shares with each of others (n, 4), as a part of their union."""
    first, second = box[None].T, others.T
    width = np.minimum(first[2], second[2]) - np.maximum(first[0], second[0]) + 1
    height = np.minimum(first[3], second[3]) - np.maximum(first[1], second[1]) + 1
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = [(b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (first, second)]
    found: Floats = shared / (areas[0] + areas[1] - shared)
    return found
