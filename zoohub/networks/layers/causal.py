"""Attention in which no token sees those after it. Shapes: B rows of L tokens, H heads."""

from __future__ import annotations

import math

import numpy as np
from mindspore import Tensor, nn, ops
from numpy.typing import NDArray

from zoohub.networks.layers.attention import scores, weighted_sum

HIDDEN = -1e9  # the score of what is not seen


class Places(nn.Cell):
    """Numbers tokens from 0, and says which come later; `longest` tokens at most."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.longest = longest
        self.numbers = Tensor(np.arange(longest, dtype=np.int32))

    def construct(self, length: int) -> Tensor:
        """The numbers of `length` tokens, int32 (L,).

        Raises:
            ValueError: there are more than `longest`.
        """
        if length > self.longest:
            raise ValueError(f"{length} tokens are more than the {self.longest} that this takes")
        return self.numbers[:length]


def future(places: Tensor) -> Tensor:
    """What each token must not see, bool (L, L), by the numbers of the tokens."""
    return ops.expand_dims(places, 0) > ops.expand_dims(places, 1)


def attend_past(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scale: float,
    hidden: Tensor,
    bias: Tensor | None = None,
) -> Tensor:
    """softmax(scale · query · keyᵀ + bias) · value over what is not `hidden`: (B, H, L, D)."""
    found = scores(query * scale, key)
    if bias is not None:
        found = found + bias
    return weighted_sum(ops.softmax(ops.masked_fill(found, hidden, HIDDEN), -1), value)


def alibi_slopes(num_heads: int) -> NDArray[np.float32]:
    """How much each head prefers what is near: float32 (H, 1, 1), to be multiplied with places.

    Source: Press et al., "Train Short, Test Long" (2022). Where H is no power of two, the heads
    beyond the last power take every other slope of twice as many.
    """
    whole = 2 ** int(math.log2(num_heads))
    slopes = [2.0 ** (-8.0 * (head + 1) / whole) for head in range(whole)]
    slopes += [2.0 ** (-4.0 * (2 * head + 1) / whole) for head in range(num_heads - whole)]
    return np.asarray(slopes, np.float32).reshape(-1, 1, 1)
