"""The boxes that a region proposal network starts from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SCALE = 8  # of an anchor's side to its map's stride
_RATIOS = (0.5, 1.0, 2.0)  # height to width


def anchors_of(height: int, width: int, stride: int) -> NDArray[np.float32]:
    """The anchors of a map of that size: float32 (height · width · 3, 4), `x1 y1 x2 y2` in pixels
    of the input, those of a cell beside each other.

    The last pixel belongs to a box, and anchors begin at whole ones, as in the models repository.
    """
    roots = np.sqrt(_RATIOS)
    widths, heights = stride * _SCALE / roots, stride * _SCALE * roots
    centre = (stride - 1) / 2
    own = np.stack(
        [
            centre - (widths - 1) / 2,
            centre - (heights - 1) / 2,
            centre + (widths - 1) / 2,
            centre + (heights - 1) / 2,
        ],
        axis=1,
    ).round()
    y, x = np.mgrid[:height, :width] * stride
    shifts = np.stack([x, y, x, y], axis=2).reshape(-1, 1, 4)
    return (shifts + own).reshape(-1, 4).astype(np.float32)
