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
        left = np.flatnonzero(classes == label)
        left = left[np.argsort(-scores[left], kind="stable")]
        while len(left) > 1:
            best = left[0 if in_order else scores[left].argmax()]
            left = left[left != best]
            shared = overlaps(boxes[best][None], boxes[left], pixel=1.0)[0]
            scores[left] *= np.exp(-(shared**2) / how.sigma)
            left = left[(shared == 0) | (scores[left] >= how.least)]
    return scores
