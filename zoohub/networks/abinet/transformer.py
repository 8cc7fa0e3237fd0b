"""ABINet's transformer blocks, which normalise after each part. Shapes: B texts, N tokens that
ask, M that are asked, C channels.

Source: Vaswani et al., "Attention Is All You Need" (2017). Parameter names are those of MindOCR.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.attention import attend, merge_heads, split_heads
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.transposed_dense import TransposedDense

_HEADS = 8
_EPS = 1e-5
_DROPOUT = 0.1


class Attention(nn.Cell):
    """Asking (B, N, C), seen (B, M, C), a bias of the scores -> (B, N, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.projection = TransposedDense(channels, channels)
        self.dense1 = dense(channels, channels)
        self.dense2 = dense(channels, channels)
        self.dense3 = dense(channels, channels)
        self.dropout = nn.Dropout(p=_DROPOUT)
        self.scale = (channels // _HEADS) ** -0.5

    def construct(self, asking: Tensor, seen: Tensor, bias: Tensor | None = None) -> Tensor:
        query = split_heads(self.dense1(asking), _HEADS)
        key, value = split_heads(self.dense2(seen), _HEADS), split_heads(self.dense3(seen), _HEADS)
        found = merge_heads(attend(query, key, value, self.scale, bias))
        return self.dropout(self.projection(found))


class FeedForward(nn.Cell):
    """Dense, ReLU, dense: (B, N, C) -> the same shape."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.mapping = TransposedDense(channels, hidden)
        self.projection = TransposedDense(hidden, channels)
        self.dropout = nn.Dropout(p=_DROPOUT)

    def construct(self, x: Tensor) -> Tensor:
        return self.dropout(self.projection(ops.relu(self.mapping(x))))


class EncoderBlock(nn.Cell):
    """Tokens ask each other: (B, N, C) -> the same shape."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.layernorm1 = layer_norm(channels, _EPS)
        self.layernorm2 = layer_norm(channels, _EPS)
        self.attention = Attention(channels)
        self.output = FeedForward(channels, hidden)

    def construct(self, x: Tensor) -> Tensor:
        x = self.layernorm1(x + self.attention(x, x))
        return self.layernorm2(x + self.output(x))


class DecoderBlock(nn.Cell):
    """Tokens ask others, (B, M, C), not each other: (B, N, C) -> the same shape."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.layernorm2 = layer_norm(channels, _EPS)
        self.cross_attention = Attention(channels)
        self.cross_attention_layernorm = layer_norm(channels, _EPS)
        self.output = FeedForward(channels, hidden)

    def construct(self, x: Tensor, seen: Tensor, bias: Tensor) -> Tensor:
        x = self.cross_attention_layernorm(x + self.cross_attention(x, seen, bias))
        return self.layernorm2(x + self.output(x))
