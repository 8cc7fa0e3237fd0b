"""What a U-Net's logits mean, whichever of its forms gives them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from zoohub.outputs.class_map import ClassMap
from zoohub.outputs.form import Array, Size, only


def whole_map(raw: Mapping[str, Array], size: Size) -> ClassMap:
    """The class map of the whole input, (N, classes, *size).

    The unpadded form looks at the middle alone: what lies around takes the scores at its edge. Of
    several depths, (depths, N, classes, H, W), the deepest counts.

    Raises:
        DataError: the network gives something else.
    """
    scores = only(raw, "classes", "one score a class and pixel, (N, classes, H, W)")
    if scores.ndim == 5:
        scores = scores[-1]
    around = [(a - b) // 2 for a, b in zip(size, scores.shape[-2:], strict=True)]
    if any(around):
        (top, left), (height, width) = around, scores.shape[-2:]
        bottom, right = size[0] - height - top, size[1] - width - left
        scores = np.pad(scores, ((0, 0), (0, 0), (top, bottom), (left, right)), "edge")
    return ClassMap(scores)
