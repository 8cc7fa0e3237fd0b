"""Feature extraction: networks that return maps instead of logits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def check_out_indices(out_indices: Sequence[int], count: int) -> tuple[int, ...]:
    """`out_indices` as a tuple, once each is known to name one of `count` feature maps.

    Raises:
        ValueError: none, out of range (negative included), or not in ascending order.
    """
    indices = tuple(out_indices)
    ascending = all(low < high for low, high in pairwise(indices))
    if not indices or not ascending or not set(indices) <= set(range(count)):
        raise ValueError(
            f"out_indices={indices} must be ascending numbers from 0 to {count - 1}, at least one"
        )
    return indices
