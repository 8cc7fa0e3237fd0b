"""Parts of GPT and GPT-2 under the names of their first publisher: one layer for query, key and
value, weights the other way round. Shapes: B rows of L tokens, C channels."""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import merge_heads, split_heads
from zoohub.networks.layers.causal import Memory, attend_past, recalled
from zoohub.networks.layers.transposed_dense import TransposedDense


class JointAttention(nn.Cell):
    """Attention over what came before: (B, L, C) -> the same shape, and keys and values."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.c_attn = TransposedDense(channels, 3 * channels)
        self.c_proj = TransposedDense(channels, channels)
        self.channels, self.num_heads = channels, num_heads
        self.scale = (channels // num_heads) ** -0.5

    def construct(
        self, x: Tensor, hidden: Tensor, past: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        query, key, value = ops.split(self.c_attn(x), self.channels, -1)
        query, key = split_heads(query, self.num_heads), split_heads(key, self.num_heads)
        value = split_heads(value, self.num_heads)
        keys, values = recalled(key, value, past)
        found = attend_past(query, keys, values, self.scale, hidden)
        return self.c_proj(merge_heads(found)), (key, value)


class JointFeedForward(nn.Cell):
    """Dense, GELU, dense: (B, L, C) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.c_fc = TransposedDense(channels, 4 * channels)
        self.c_proj = TransposedDense(4 * channels, channels)
        self.act = gelu(exact=False)

    def construct(self, x: Tensor) -> Tensor:
        return self.c_proj(self.act(self.c_fc(x)))
