"""Sequences of several lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def padded(
    sequences: Sequence[ArrayLike], fill: int, length: int | None = None
) -> NDArray[np.int32]:
    """Whole numbers (N, L) with `fill` after each sequence's end; L is `length`, or the longest's.

    >>> padded([[5, 2], [7, 8, 2]], 0).tolist()
    [[5, 2, 0], [7, 8, 2]]
    """
    arrays = [np.asarray(sequence, np.int32) for sequence in sequences]
    longest = max((len(array) for array in arrays), default=0) if length is None else length
    filled = np.full((len(arrays), longest), fill, np.int32)
    for row, array in zip(filled, arrays, strict=True):
        row[: len(array)] = array
    return filled
