"""Embeddings of the distance between two tokens, which NEZHA adds to keys and values.

Source: Wei et al., "NEZHA: Neural Contextualized Representation for Chinese Language
Understanding" (2019). Distances beyond the longest are as the longest.
"""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.sinusoids import sinusoids


class LearntDistances(nn.Cell):
    """The embeddings of all distances in a text of N tokens: (N, N, channels), learnt."""

    def __init__(self, longest: int, channels: int) -> None:
        super().__init__()
        self.longest = longest
        table = initializer(TruncatedNormal(0.02), (2 * longest + 1, channels))
        self.embeddings_table = Parameter(table)

    def construct(self, tokens: int) -> Tensor:
        places = ops.arange(tokens)
        steps = ops.expand_dims(places, 0) - ops.expand_dims(places, 1)
        steps = ops.minimum(ops.maximum(steps, -self.longest), self.longest) + self.longest
        return ops.gather(self.embeddings_table, steps, 0)


class FixedDistances(nn.Cell):
    """The same of sinusoids, for up to `most` tokens: a constant (most, most, channels)."""

    def __init__(self, longest: int, channels: int, most: int) -> None:
        super().__init__()
        table = sinusoids(2 * longest + 1, channels)
        encoding = Tensor(table[distances(most, longest)])
        self.positions_encoding = Parameter(encoding, requires_grad=False)

    def construct(self, tokens: int) -> Tensor:
        return self.positions_encoding[:tokens, :tokens]


def distances(tokens: int, longest: int) -> np.ndarray:
    """How far each token (column) is behind each (row), from 0 up: int64 (tokens, tokens)."""
    places = np.arange(tokens)
    return np.clip(places[None] - places[:, None], -longest, longest) + longest
