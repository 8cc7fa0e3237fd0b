"""Multi-head attention.

Source: Vaswani et al., "Attention Is All You Need" (2017). Shapes: B pictures, N tokens, H heads
of D channels, C = H·D.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.dense import dense

_TIMES_TRANSPOSED = ops.BatchMatMul(transpose_b=True)
_TIMES = ops.BatchMatMul()


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """(B, N, H·D) -> (B, H, N, D)."""
    _, tokens, channels = x.shape
    x = ops.reshape(x, (-1, tokens, num_heads, channels // num_heads))
    return ops.transpose(x, (0, 2, 1, 3))


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, N, D) -> (B, N, H·D)."""
    _, num_heads, tokens, width = x.shape
    return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, tokens, num_heads * width))


def scores(query: Tensor, key: Tensor) -> Tensor:
    """The products of queries (…, N, D) with keys (…, M, D): (…, N, M)."""
    return _TIMES_TRANSPOSED(query, key)


def weighted_sum(weights: Tensor, value: Tensor) -> Tensor:
    """Values (…, M, D) summed with the weights (…, N, M): (…, N, D)."""
    return _TIMES(weights, value)


def attend(
    query: Tensor, key: Tensor, value: Tensor, scale: float, bias: Tensor | None = None
) -> Tensor:
    """softmax(scale · query · keyᵀ + bias) · value, over the last two axes."""
    found = scores(query * scale, key)
    found = found if bias is None else found + bias.astype(found.dtype)
    return weighted_sum(ops.softmax(found, -1), value)


class Attention(nn.Cell):
    """Self-attention, query, key and value in one dense layer: (B, N, C) -> the same shape.

    `scale` is that of the scores, 1 / sqrt(D) unless given.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        qkv_bias: bool = True,
        attention_dropout: float = 0.0,
        dropout: float = 0.0,
        scale: float | None = None,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.channels = channels
        self.scale = (channels // num_heads) ** -0.5 if scale is None else scale
        self.qkv = dense(channels, 3 * channels, qkv_bias)
        self.attn_drop = nn.Dropout(p=attention_dropout)
        self.proj = dense(channels, channels)
        self.proj_drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        q, k, v = ops.split(self.qkv(x), self.channels, -1)
        q, k = split_heads(q, self.num_heads), split_heads(k, self.num_heads)
        weights = self.attn_drop(ops.softmax(scores(q * self.scale, k), -1))
        merged = merge_heads(weighted_sum(weights, split_heads(v, self.num_heads)))
        return self.proj_drop(self.proj(merged))


class SeparateAttention(nn.Cell):
    """Self-attention with a dense layer each for query, key and value.

    (B, N, C) -> the same shape; with `first_asks` only the first token asks: (B, 1, C).
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        qkv_bias: bool = True,
        dropout: float = 0.0,
        first_asks: bool = False,
        proj_bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.first_asks = first_asks
        self.scale = (channels // num_heads) ** -0.5
        self.q = dense(channels, channels, qkv_bias)
        self.k = dense(channels, channels, qkv_bias)
        self.v = dense(channels, channels, qkv_bias)
        self.proj = dense(channels, channels, proj_bias)
        self.proj_drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        q = split_heads(self.q(x[:, :1] if self.first_asks else x), self.num_heads)
        k, v = split_heads(self.k(x), self.num_heads), split_heads(self.v(x), self.num_heads)
        return self.proj_drop(self.proj(merge_heads(attend(q, k, v, self.scale))))
