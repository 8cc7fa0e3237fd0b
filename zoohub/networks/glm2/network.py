"""ChatGLM2 and ChatGLM3, and CodeGeeX2.

Source: Zeng et al., "GLM-130B: An Open Bilingual Pre-trained Model" (2023), and the projects' own
reports. Parameter names are THUDM's, as MindFormers has them. Shapes: B rows of L tokens, H heads
of D channels, C channels of a token.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.attention import merge_heads, split_heads
from zoohub.networks.layers.causal import Memory, Order, Past, attend_past, layer_past, recalled
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.language_model import LanguageModel, Remembered
from zoohub.networks.layers.rms_norm import RMSNorm
from zoohub.networks.layers.rotary import of_places

NORM_EPS = 1e-5
THETA = 10000.0


class HalfRotary(nn.Cell):
    """(B, H, L, D) and places (L,) or (B, L) -> the same, the first half of the channels turned,
    each with its neighbour."""

    def __init__(self, channels: int, longest: int, theta: float) -> None:
        super().__init__()
        turned = channels // 2
        rates = 1.0 / theta ** (np.arange(0, turned, 2, dtype=np.float32) / turned)
        angles = np.outer(np.arange(longest, dtype=np.float32), rates).astype(np.float32)
        self.cos, self.sin = Tensor(np.cos(angles)), Tensor(np.sin(angles))
        self.turned = turned

    def construct(self, x: Tensor, places: Tensor) -> Tensor:
        rows, heads, length, _ = x.shape
        cos, sin = of_places(self.cos, places), of_places(self.sin, places)
        even = x[..., 0 : self.turned : 2]
        odd = x[..., 1 : self.turned : 2]
        pairs = ops.stack((even * cos - odd * sin, odd * cos + even * sin), -1)
        pairs = ops.reshape(pairs, (rows, heads, length, self.turned))
        return ops.concat((pairs, x[..., self.turned :]), -1)


class Attention(nn.Cell):
    """Attention over what came before, a few heads of keys and values: (B, L, C), and these."""

    def __init__(
        self, channels: int, num_heads: int, kv_heads: int, head_dim: int, turn: HalfRotary
    ) -> None:
        super().__init__()
        self.query_dim, self.kv_dim = num_heads * head_dim, kv_heads * head_dim
        self.query_key_value = dense(channels, self.query_dim + 2 * self.kv_dim)
        self.dense = dense(self.query_dim, channels, bias=False)
        self.num_heads, self.kv_heads = num_heads, kv_heads
        self.scale = head_dim**-0.5
        self.turn = turn

    def construct(
        self, x: Tensor, places: Tensor, hidden: Tensor, past: Memory | None
    ) -> tuple[Tensor, Memory]:
        parts = [self.query_dim, self.kv_dim, self.kv_dim]
        query, key, value = ops.split(self.query_key_value(x), parts, -1)
        query = self.turn(split_heads(query, self.num_heads), places)
        key = self.turn(split_heads(key, self.kv_heads), places)
        value = split_heads(value, self.kv_heads)
        keys, values = recalled(key, value, past)
        found = attend_past(query, keys, values, self.scale, hidden)
        return self.dense(merge_heads(found)), (key, value)


class FeedForward(nn.Cell):
    """Gate and value in one dense layer, then another: (B, L, C) -> the same shape."""

    def __init__(self, channels: int, ffn_dim: int) -> None:
        super().__init__()
        self.dense_h_to_4h = dense(channels, 2 * ffn_dim, bias=False)
        self.dense_4h_to_h = dense(ffn_dim, channels, bias=False)
        self.ffn_dim = ffn_dim

    def construct(self, x: Tensor) -> Tensor:
        gate, value = ops.split(self.dense_h_to_4h(x), self.ffn_dim, -1)
        return self.dense_4h_to_h(gate * ops.sigmoid(gate) * value)


class Block(nn.Cell):
    """Attention, then the feed-forward, each after a norm and added: (B, L, C), and keys and
    values."""

    def __init__(self, channels: int, attention: Attention, ffn_dim: int) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(channels, NORM_EPS)
        self.self_attention = attention
        self.post_attention_layernorm = RMSNorm(channels, NORM_EPS)
        self.mlp = FeedForward(channels, ffn_dim)

    def construct(
        self, x: Tensor, places: Tensor, hidden: Tensor, past: Memory | None
    ) -> tuple[Tensor, Memory]:
        found, memory = self.self_attention(self.input_layernorm(x), places, hidden, past)
        x = x + found
        return x + self.mlp(self.post_attention_layernorm(x)), memory


class Blocks(nn.Cell):
    """(B, L, C) -> the same shape, normalised, and the layers' keys and values."""

    def __init__(
        self,
        channels: int,
        depth: int,
        num_heads: int,
        kv_heads: int,
        head_dim: int,
        ffn_dim: int,
        turn: HalfRotary,
    ) -> None:
        super().__init__()
        attentions = (
            Attention(channels, num_heads, kv_heads, head_dim, turn) for _ in range(depth)
        )
        self.layers = nn.CellList([Block(channels, one, ffn_dim) for one in attentions])
        self.final_layernorm = RMSNorm(channels, NORM_EPS)

    def construct(self, x: Tensor, places: Tensor, hidden: Tensor, past: Past | None) -> Remembered:
        memories: tuple[Memory, ...] = ()
        for number, layer in enumerate(self.layers):
            x, memory = layer(x, places, hidden, layer_past(past, number))
            memories = (*memories, memory)
        return self.final_layernorm(x), memories


class Transformer(nn.Cell):
    """ids (B, L) -> the last block's tokens (B, L, C), normalised."""

    def __init__(self, vocab_size: int, channels: int, blocks: Blocks, longest: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, channels, embedding_table=Normal(0.02))
        self.encoder = blocks
        self.output_layer = dense(channels, vocab_size, bias=False)
        self.order = Order(longest)

    def construct(self, ids: Tensor, counts: Tensor | None, past: Past | None) -> Remembered:
        places, _, hidden = self.order(ids, counts, past)
        return self.encoder(self.embedding(ids), places, hidden, past)


class GLM2(LanguageModel):
    """ids (B, L) -> logits (B, L, vocab_size)."""

    def __init__(self, transformer: Transformer, cache: tuple[int, int, int]) -> None:
        super().__init__()
        self.transformer = transformer
        self.cache = cache

    def body(
        self, ids: Tensor, counts: Tensor | None = None, past: Past | None = None
    ) -> Remembered:
        """See `LanguageModel`."""
        return self.transformer(ids, counts, past)

    def logits(self, x: Tensor) -> Tensor:
        """See `LanguageModel`."""
        return self.transformer.output_layer(x)


def glm2(
    vocab_size: int = 65024,
    embed_dim: int = 4096,
    depth: int = 28,
    num_heads: int = 32,
    kv_heads: int = 2,
    head_dim: int = 128,
    ffn_dim: int = 13696,
    rope_ratio: float = 1.0,
    longest: int = 2048,
) -> GLM2:
    """ChatGLM2: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    No token sees those after it, so padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token.
        depth: blocks.
        num_heads: heads of queries.
        kv_heads: heads of keys and values.
        head_dim: channels of a head.
        ffn_dim: channels inside the feed-forward.
        rope_ratio: what the rotations' base is multiplied with: 50 for 32,000 tokens.
        longest: tokens of a row, at most.

    Raises:
        ValueError: heads that do not divide.
    """
    if num_heads % kv_heads:
        raise ValueError(f"{kv_heads} heads of keys do not divide {num_heads} of queries")
    turn = HalfRotary(head_dim, longest, THETA * rope_ratio)
    blocks = Blocks(embed_dim, depth, num_heads, kv_heads, head_dim, ffn_dim, turn)
    transformer = Transformer(vocab_size, embed_dim, blocks, longest)
    return GLM2(transformer, (2 * depth, kv_heads, head_dim))
