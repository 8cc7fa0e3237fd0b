"""The boxes that a region proposal network starts from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Anchors:
    """What boxes there are at every place: `scales` of their sides to the map's stride, for each of
    `ratios` of height to width."""

    scales: tuple[float, ...]
    ratios: tuple[float, ...]


PYRAMID = Anchors((8,), (0.5, 1.0, 2.0))


def anchors_of(
    height: int, width: int, stride: int, kinds: Anchors = PYRAMID
) -> NDArray[np.float32]:
    """The anchors of a map of that size: float32 (height · width · kinds, 4), `x1 y1 x2 y2` in
    pixels of the input, those of a cell beside each other, each ratio's scales in turn.

    The last pixel belongs to a box, and anchors begin at whole ones, as in the models repository.
    """
    roots, sides = np.sqrt(kinds.ratios)[:, None], stride * np.array(kinds.scales)
    widths, heights = (sides / roots).ravel(), (sides * roots).ravel()
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
