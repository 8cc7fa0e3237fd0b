"""Boxes moved by the offsets that a network gives for them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from zoohub.tasks.detection.suppression import bounded

ONE = (1.0, 1.0, 1.0, 1.0)
HEAD = (0.1, 0.1, 0.2, 0.2)  # the spread of the offsets that heads were trained with
_MOST = -math.log(0.016)  # a side changes no more than by this power of e


def moved(
    boxes: NDArray[np.float32],
    offsets: NDArray[np.float32],
    spread: tuple[float, float, float, float],
    size: tuple[int, int],
) -> NDArray[np.float32]:
    """Boxes (n, 4), `x1 y1 x2 y2` in pixels of an input of (height, width) `size`, by offsets of
    their centres and sides (n, 4), which count in units of `spread`; cut at the input's edges.

    The last pixel belongs to a box: its width is x2 − x1 + 1, as for MindSpore's
    `BoundingBoxDecode`.
    """
    scaled = bounded(offsets) * np.asarray(spread, np.float32)
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 + sides * scaled[:, :2]
    halves = sides * np.exp(np.clip(scaled[:, 2:], -_MOST, _MOST)) / 2 - np.float32(0.5)
    corners = np.concatenate([centres - halves, centres + halves], axis=1)
    height, width = size
    return np.clip(corners, 0, np.array([width, height, width, height], np.float32))
