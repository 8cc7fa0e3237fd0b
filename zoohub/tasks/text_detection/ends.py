"""AdvancedEAST's rule: pixels near an end of a text know the two corners there.

Source: the models repository's evaluation of AdvancedEAST, an unpublished variant of Zhou et al.,
"EAST: An Efficient and Accurate Scene Text Detector" (2017).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture.text_crop import clockwise
from zoohub.tasks.detection.suppression import bounded
from zoohub.tasks.text_detection.shapes import MOST, Map, Outline, opencv

_NEAR_END = 0.8  # from which a pixel is near one of the ends
_UNSURE = 0.1  # from 0 or 1 so far a pixel does not know which end it is near
_TINY = 1e-4  # keeps the mean of no pixels finite


def end_outlines(maps: Map, size: tuple[int, int], *, least: float = 0.8) -> list[Outline]:
    """The texts on AdvancedEAST's maps, best first; the score of each is its pixels' mean.

    Pixels that touch, at a corner too, are of one text. Its corners are means of what the pixels
    near each end say of them, by how sure they are to be near one; a text of which one end has no
    such pixel is none.

    Args:
        maps: (7, h, w): how likely a pixel is inside of a text, near an end, and near the second
            one, each in 0..1, then where from the pixel's middle the two corners of that end are,
            (x, y) twice, in pixels of the input. The ends are left and right, or top and bottom
            where these are the shorter sides.
        size: (height, width) of the input.
        least: what a pixel must reach to be inside of a text.
    """
    inside, near, second = maps[:3].astype(np.float64)
    count, labels = opencv().connectedComponents((inside >= least).astype(np.uint8), connectivity=8)
    stride = np.array([size[1] / inside.shape[1], size[0] / inside.shape[0]])
    knows = (near >= _NEAR_END) & ((second < _UNSURE) | (second >= 1 - _UNSURE))
    found = []
    for label in range(1, min(count, MOST + 1)):
        own = labels == label
        rows, columns = np.nonzero(own & knows)
        middle = (np.stack([columns, rows], axis=1) + 0.5) * stride
        corners = maps[3:, rows, columns].T.reshape(-1, 2, 2) + middle[:, None]
        weights, right = near[rows, columns], second[rows, columns] >= 0.5
        ends = [_mean(corners, weights, right == bool(end)) for end in (0, 1)]
        if all(end is not None for end in ends):
            points = np.concatenate([end for end in ends if end is not None])
            found.append(Outline(clockwise(bounded(points)), float(inside[own].mean())))
    return sorted(found, key=lambda outline: -outline.score)


def _mean(
    corners: NDArray[np.float64], weights: NDArray[np.float64], own: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """The two corners (2, 2) of the end that `own` pixels are near; None: there are none."""
    if not own.any():
        return None
    total: NDArray[np.float64] = (weights[own, None, None] * corners[own]).sum(axis=0)
    return total / (weights[own].sum() + _TINY)
