"""The block of GPT-like decoders and their embedding, as MindFormers and MindSpore name them.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019). Shapes: B
rows of L tokens, C channels.
"""

from __future__ import annotations

from typing import Literal

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import merge_heads, split_heads
from zoohub.networks.layers.causal import Memory, attend_past, recalled
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.transposed_dense import TransposedDense

NORM_EPS = 1e-5
Activation = Literal["gelu", "sigmoid"]


class PlacedEmbedding(nn.Cell):
    """ids and their places -> tokens (B, L, C)."""

    def __init__(self, vocab_size: int, embed_dim: int, longest: int) -> None:
        super().__init__()
        init = Normal(0.02)
        self.word_embedding = nn.Embedding(vocab_size, embed_dim, embedding_table=init)
        self.position_embedding = nn.Embedding(longest, embed_dim, embedding_table=init)

    def construct(self, ids: Tensor, places: Tensor) -> Tensor:
        return self.word_embedding(ids) + self.position_embedding(places)


class SigmoidGelu(nn.Cell):
    """x · sigmoid(1.702 · x), which stands for GELU."""

    def construct(self, x: Tensor) -> Tensor:
        return x * ops.sigmoid(1.702 * x)


class PastAttention(nn.Cell):
    """Attention over what came before: asking (B, L, C), seen (B, L, C) -> (B, L, C), and keys
    and values.

    `dense1`, `dense2` and `dense3` make query, key and value; `kv_heads` heads of keys and values
    serve `num_heads` of queries.
    """

    def __init__(self, channels: int, num_heads: int, kv_heads: int) -> None:
        super().__init__()
        width = channels // num_heads
        self.projection = TransposedDense(channels, channels)
        self.dense1 = dense(channels, channels)
        self.dense2 = dense(channels, kv_heads * width)
        self.dense3 = dense(channels, kv_heads * width)
        self.num_heads, self.kv_heads = num_heads, kv_heads
        self.scale = width**-0.5

    def construct(
        self,
        asking: Tensor,
        seen: Tensor,
        hidden: Tensor,
        bias: Tensor | None = None,
        past: Memory | None = None,
    ) -> tuple[Tensor, Memory]:
        query = split_heads(self.dense1(asking), self.num_heads)
        key = split_heads(self.dense2(seen), self.kv_heads)
        value = split_heads(self.dense3(seen), self.kv_heads)
        keys, values = recalled(key, value, past)
        found = attend_past(query, keys, values, self.scale, hidden, bias)
        return self.projection(merge_heads(found)), (key, value)


class FeedForward(nn.Cell):
    """Dense, activation, dense: (B, L, C) -> the same shape."""

    def __init__(self, channels: int, ffn_dim: int, activation: Activation) -> None:
        super().__init__()
        self.mapping = TransposedDense(channels, ffn_dim)
        self.projection = TransposedDense(ffn_dim, channels)
        self.act = gelu(exact=False) if activation == "gelu" else SigmoidGelu()

    def construct(self, x: Tensor) -> Tensor:
        return self.projection(self.act(self.mapping(x)))


class DecoderBlock(nn.Cell):
    """Attention, then the feed-forward, each after a layer norm and added: (B, L, C), and keys
    and values.

    With `asking` (B, L, C) that asks, in place of the block's own tokens (PanGu-α's last block).
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        ffn_dim: int,
        activation: Activation = "gelu",
        kv_heads: int | None = None,
    ) -> None:
        super().__init__()
        self.layernorm1 = layer_norm(channels, NORM_EPS)
        self.layernorm2 = layer_norm(channels, NORM_EPS)
        self.attention = PastAttention(channels, num_heads, kv_heads or num_heads)
        self.output = FeedForward(channels, ffn_dim, activation)

    def construct(
        self,
        x: Tensor,
        hidden: Tensor,
        bias: Tensor | None = None,
        asking: Tensor | None = None,
        past: Memory | None = None,
    ) -> tuple[Tensor, Memory]:
        seen = self.layernorm1(x)
        found, memory = self.attention(seen if asking is None else asking, seen, hidden, bias, past)
        x = x + found
        return x + self.output(self.layernorm2(x)), memory
