"""What all language models have in common: blocks that read tokens, logits of the next one.

Shapes: B rows of L tokens, C channels, V tokens known.
"""

from __future__ import annotations

from typing import TypeAlias

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.causal import Memory, Past

# The tokens (B, L, C), and what later ones will see of them: each layer's keys and values.
Remembered: TypeAlias = tuple[Tensor, tuple[Memory, ...]]
_TIMES_TRANSPOSED = ops.MatMul(transpose_b=True)


class LanguageModel(nn.Cell):
    """ids int32 (B, L) -> logits float32 (B, L, V) of each next token.

    `cache` is what is kept of a token: twice the layers, heads of keys, channels of a head.
    """

    cache: tuple[int, int, int]

    def body(
        self, ids: Tensor, counts: Tensor | None = None, past: Past | None = None
    ) -> Remembered:
        """What the blocks make of ids (B, L), which stand after the first `counts` (B,) tokens of
        each row's `past`."""
        raise NotImplementedError

    def logits(self, x: Tensor) -> Tensor:
        """(B, L, C) -> (B, L, V)."""
        raise NotImplementedError

    def construct(self, ids: Tensor) -> Tensor:
        return self.logits(self.body(ids)[0])


def tied_logits(x: Tensor, table: Tensor) -> Tensor:
    """Logits by the words' own embeddings (V, C): (B, L, C) -> (B, L, V)."""
    rows, length, channels = x.shape
    found = _TIMES_TRANSPOSED(ops.reshape(x, (-1, channels)), table)
    return ops.reshape(found, (rows, length, -1))
