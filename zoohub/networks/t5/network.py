"""T5, which reads a text and writes another.

Source: Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
Transformer" (2020), version 1.0. Parameter names are those of MindNLP 0.1. Shapes: B pairs of S
read and T written tokens, H heads of D channels, C channels of a token. What was read is remembered
as each block's keys and values (B, H, S, D), and so are P tokens of what was written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype
from mindspore.common.initializer import Normal
from numpy.typing import NDArray

from zoohub.networks.layers.attention import merge_heads, scores, split_heads, weighted_sum
from zoohub.networks.layers.causal import (
    HIDDEN,
    Memory,
    Order,
    Past,
    Places,
    layer_past,
    recalled,
)
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.language_model import Remembered, tied_logits
from zoohub.networks.layers.rms_norm import RMSNorm

NORM_EPS = 1e-6
BUCKETS = 32
FARTHEST = 128  # distances from here on share the last bucket


@dataclass(frozen=True)
class Sizes:
    """The arguments of `t5`."""

    vocab_size: int
    embed_dim: int
    head_dim: int
    ffn_dim: int
    depth: int
    num_heads: int
    tied_head: bool
    longest: int


def distance_buckets(longest: int, both_ways: bool) -> NDArray[np.int32]:
    """The bucket of each distance from -(longest - 1) to longest - 1, seen minus asking.

    Half of a direction's buckets are for single distances, the others grow logarithmically up to
    `FARTHEST`. One way, what comes later shares bucket 0.
    """
    distance = np.arange(1 - longest, longest)
    count = BUCKETS // 2 if both_ways else BUCKETS
    start = np.where(distance > 0, count, 0) if both_ways else 0
    far = np.abs(distance) if both_ways else np.maximum(-distance, 0)
    single = count // 2
    ratio = np.log(np.maximum(far, 1) / single) / np.log(FARTHEST / single)
    # An exact power of the base must not fall short of its bucket by rounding.
    grown = single + np.floor(ratio * (count - single) + 1e-9).astype(np.int64)
    return (start + np.where(far < single, far, np.minimum(grown, count - 1))).astype(np.int32)


class Attention(nn.Cell):
    """asking (B, T, C), keys and values -> (B, T, C); the scores are not scaled.

    `biased`: this layer holds the table of distances that its stack shares.
    """

    def __init__(self, sizes: Sizes, biased: bool) -> None:
        super().__init__()
        width = sizes.num_heads * sizes.head_dim
        self.q = dense(sizes.embed_dim, width, bias=False)
        self.k = dense(sizes.embed_dim, width, bias=False)
        self.v = dense(sizes.embed_dim, width, bias=False)
        self.o = dense(width, sizes.embed_dim, bias=False)
        self.num_heads = sizes.num_heads
        if biased:
            self.relative_attention_bias = nn.Embedding(
                BUCKETS, sizes.num_heads, embedding_table=Normal(0.02)
            )

    def remember(self, seen: Tensor) -> Memory:
        """What is attended to of (B, S, C)."""
        return split_heads(self.k(seen), self.num_heads), split_heads(self.v(seen), self.num_heads)

    def construct(self, asking: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        found = scores(split_heads(self.q(asking), self.num_heads), key) + bias
        return self.o(merge_heads(weighted_sum(ops.softmax(found, -1), value)))


class SelfAttention(nn.Cell):
    """Attention after a norm, added: (B, L, C) -> the same shape, and keys and values."""

    def __init__(self, sizes: Sizes, biased: bool) -> None:
        super().__init__()
        self.SelfAttention = Attention(sizes, biased)
        self.layer_norm = RMSNorm(sizes.embed_dim, NORM_EPS)

    def construct(
        self, x: Tensor, bias: Tensor, past: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        normed = self.layer_norm(x)
        key, value = self.SelfAttention.remember(normed)
        keys, values = recalled(key, value, past)
        return x + self.SelfAttention(normed, keys, values, bias), (key, value)


class CrossAttention(nn.Cell):
    """Attention to what was read, after a norm, added: (B, T, C) -> the same shape."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.EncDecAttention = Attention(sizes, biased=False)
        self.layer_norm = RMSNorm(sizes.embed_dim, NORM_EPS)

    def construct(self, x: Tensor, seen: Memory, bias: Tensor) -> Tensor:
        return x + self.EncDecAttention(self.layer_norm(x), seen[0], seen[1], bias)


class DenseReluDense(nn.Cell):
    """Dense, ReLU, dense, without biases."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.wi = dense(sizes.embed_dim, sizes.ffn_dim, bias=False)
        self.wo = dense(sizes.ffn_dim, sizes.embed_dim, bias=False)

    def construct(self, x: Tensor) -> Tensor:
        return self.wo(ops.relu(self.wi(x)))


class FeedForward(nn.Cell):
    """The feed-forward after a norm, added: (B, L, C) -> the same shape."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.DenseReluDense = DenseReluDense(sizes)
        self.layer_norm = RMSNorm(sizes.embed_dim, NORM_EPS)

    def construct(self, x: Tensor) -> Tensor:
        return x + self.DenseReluDense(self.layer_norm(x))


class EncoderBlock(nn.Cell):
    """Self-attention and feed-forward: (B, S, C) -> the same shape."""

    def __init__(self, sizes: Sizes, biased: bool) -> None:
        super().__init__()
        self.layer = nn.CellList([SelfAttention(sizes, biased), FeedForward(sizes)])

    def construct(self, x: Tensor, bias: Tensor) -> Tensor:
        x, _ = self.layer[0](x, bias)
        return self.layer[1](x)


class DecoderBlock(nn.Cell):
    """Self-attention, attention to what was read, feed-forward: (B, T, C) -> the same shape, and
    keys and values."""

    def __init__(self, sizes: Sizes, biased: bool) -> None:
        super().__init__()
        self.layer = nn.CellList(
            [SelfAttention(sizes, biased), CrossAttention(sizes), FeedForward(sizes)]
        )

    def construct(
        self, x: Tensor, bias: Tensor, seen: Memory, seen_bias: Tensor, past: Memory | None
    ) -> tuple[Tensor, Memory]:
        x, memory = self.layer[0](x, bias, past)
        return self.layer[2](self.layer[1](x, seen, seen_bias)), memory


class Distances(nn.Cell):
    """The places of tokens (…, L) and of what they see (…, M) -> the buckets of the distances,
    int32 (…, L, M)."""

    def __init__(self, longest: int, both_ways: bool) -> None:
        super().__init__()
        self.buckets = Tensor(distance_buckets(longest, both_ways))
        self.zero = longest - 1

    def construct(self, places: Tensor, seen: Tensor) -> Tensor:
        apart = ops.expand_dims(seen, -2) - ops.expand_dims(places, -1)
        # What fills a past up stands farther than a row is long; it is hidden.
        return ops.gather(self.buckets, ops.minimum(apart, self.zero) + self.zero, 0)


class Encoder(nn.Cell):
    """Tokens (B, S, C), mask (B, 1, 1, S) to be added -> (B, S, C), normalised."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.block = nn.CellList([EncoderBlock(sizes, not number) for number in range(sizes.depth)])
        self.final_layer_norm = RMSNorm(sizes.embed_dim, NORM_EPS)
        self.distances = Distances(sizes.longest, both_ways=True)
        self.places = Places(sizes.longest)

    def construct(self, x: Tensor, hidden: Tensor) -> Tensor:
        places = self.places(x.shape[1])
        buckets = self.distances(places, places)
        bias = hidden
        for number, block in enumerate(self.block):
            if number == 0:
                table = block.layer[0].SelfAttention.relative_attention_bias
                bias = ops.transpose(table(buckets), (2, 0, 1)) + hidden
            x = block(x, bias)
        return self.final_layer_norm(x)


class Decoder(nn.Cell):
    """ids (B, T), each block's memory of what was read, its mask (B, 1, 1, S) -> (B, T, C),
    normalised, and keys and values; after the first `counts` (B,) tokens of a `past`."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(
            sizes.vocab_size, sizes.embed_dim, embedding_table=Normal(1.0)
        )
        self.block = nn.CellList([DecoderBlock(sizes, not number) for number in range(sizes.depth)])
        self.final_layer_norm = RMSNorm(sizes.embed_dim, NORM_EPS)
        self.distances = Distances(sizes.longest, both_ways=False)
        self.order = Order(sizes.longest)

    def remember(self, read: Tensor) -> tuple[Memory, ...]:
        """What each block attends to of the text that was read, (B, S, C)."""
        memories: tuple[Memory, ...] = ()
        for block in self.block:
            memories = (*memories, block.layer[1].EncDecAttention.remember(read))
        return memories

    def construct(
        self,
        ids: Tensor,
        seen: tuple[Memory, ...],
        seen_bias: Tensor,
        counts: Tensor | None = None,
        past: Past | None = None,
    ) -> Remembered:
        x = self.embed_tokens(ids)
        places, before, hidden = self.order(ids, counts, past)
        buckets = self.distances(places, before)
        bias = seen_bias
        memories: tuple[Memory, ...] = ()
        for number, block in enumerate(self.block):
            if number == 0:
                near = block.layer[0].SelfAttention.relative_attention_bias(buckets)
                near = ops.transpose(near, (2, 0, 1) if past is None else (0, 3, 1, 2))
                bias = ops.masked_fill(near, hidden, HIDDEN)
            x, memory = block(x, bias, seen[number], seen_bias, layer_past(past, number))
            memories = (*memories, memory)
        return self.final_layer_norm(x), memories


class T5(nn.Cell):
    """ids (B, S), decoder ids (B, T), mask (B, S) -> logits (B, T, vocab_size)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.encoder = Encoder(sizes)
        self.decoder = Decoder(sizes)
        self.scale = sizes.embed_dim**-0.5
        self.tied = sizes.tied_head
        self.cache = (2 * sizes.depth, sizes.num_heads, sizes.head_dim)
        if not sizes.tied_head:
            self.lm_head = dense(sizes.embed_dim, sizes.vocab_size, bias=False)

    def construct(self, ids: Tensor, decoder_ids: Tensor, mask: Tensor) -> Tensor:
        hidden = unread(mask)
        seen = self.decoder.remember(self.read(ids, hidden))
        return self.logits(self.decoder(decoder_ids, seen, hidden)[0])

    def read(self, ids: Tensor, hidden: Tensor) -> Tensor:
        """ids (B, S), mask (B, 1, 1, S) to be added -> (B, S, C)."""
        return self.encoder(self.decoder.embed_tokens(ids), hidden)

    def logits(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, vocab_size)."""
        if self.tied:
            return tied_logits(x * self.scale, self.decoder.embed_tokens.embedding_table)
        return self.lm_head(x)


def unread(mask: Tensor) -> Tensor:
    """A mask (B, S), 1 for tokens, as what is added to scores: float32 (B, 1, 1, S)."""
    return ops.expand_dims(ops.expand_dims(1.0 - mask.astype(mstype.float32), 1), 1) * HIDDEN


def t5(
    vocab_size: int = 32128,
    embed_dim: int = 512,
    head_dim: int = 64,
    ffn_dim: int = 2048,
    depth: int = 6,
    num_heads: int = 8,
    tied_head: bool = True,
    longest: int = 512,
) -> T5:
    """T5: ids int32 (B, S), decoder ids (B, T), mask (B, S) -> logits float32 (B, T, vocab_size).

    The mask is 1 for tokens read and 0 for padding. Decoder ids begin with id 0; each one's
    successor is told, given those before it.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token: 512 (small), 768 (base), 1024 (large, 3B, 11B).
        head_dim: channels of a head: 64; 128 (3B, 11B).
        ffn_dim: channels inside the feed-forward: 2048, 3072, 4096; 16384 (3B), 65536 (11B).
        depth: blocks of the encoder, and of the decoder: 6, 12, 24.
        num_heads: heads of each attention: 8, 12, 16; 32 (3B), 128 (11B).
        tied_head: the logits' weights are the tokens', as in version 1.0.
        longest: tokens of a row, at most; distances have no end, so more can be asked for.
    """
    return T5(Sizes(vocab_size, embed_dim, head_dim, ffn_dim, depth, num_heads, tied_head, longest))
