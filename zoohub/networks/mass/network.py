"""MASS, a Transformer that writes summaries.

Source: Song et al., "MASS: Masked Sequence to Sequence Pre-training for Language Generation"
(2019). Parameter names are those of the models repository (official/nlp/mass). Shapes: B pairs of
S source and T target tokens, C channels.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal
from numpy.typing import NDArray

from zoohub.networks.layers.attention import merge_heads, scores, split_heads, weighted_sum
from zoohub.networks.layers.causal import HIDDEN, Places, future
from zoohub.networks.layers.dense import dense, layer_norm

NORM_EPS = 1e-5


def sine_places(longest: int, channels: int) -> NDArray[np.float32]:
    """Sines, then cosines, of each place: float32 (longest, channels).

    Wavelengths run from 2π to 20000π.
    """
    half = channels // 2
    rates = np.exp(-np.log(10000.0) / (half - 1) * np.arange(half))
    angles = np.outer(np.arange(longest), rates)
    return np.concatenate((np.sin(angles), np.cos(angles)), axis=1).astype(np.float32)


class Norm(nn.Cell):
    """A layer norm under the name that the files have before it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layer_norm = layer_norm(channels, NORM_EPS)

    def construct(self, x: Tensor) -> Tensor:
        return self.layer_norm(x)


class Heads(nn.Cell):
    """asking (B, T, C), seen (B, S, C), hidden (…, T, S) to be added -> (B, T, C)."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.query_layer = dense(channels, channels)
        self.key_layer = dense(channels, channels)
        self.value_layer = dense(channels, channels)
        self.out_layer = dense(channels, channels)
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5

    def construct(self, asking: Tensor, seen: Tensor, hidden: Tensor) -> Tensor:
        query = split_heads(self.query_layer(asking) * self.scale, self.num_heads)
        key = split_heads(self.key_layer(seen), self.num_heads)
        value = split_heads(self.value_layer(seen), self.num_heads)
        weights = ops.softmax(scores(query, key) + hidden, -1)
        return self.out_layer(merge_heads(weighted_sum(weights, value)))


class Attention(nn.Cell):
    """Attention added to what asks: only that is normalised, not what is seen."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.multi_head_self_attention = Heads(channels, num_heads)
        self.layer_norm = Norm(channels)

    def construct(self, x: Tensor, seen: Tensor, hidden: Tensor) -> Tensor:
        return x + self.multi_head_self_attention(self.layer_norm(x), seen, hidden)


class FeedForward(nn.Cell):
    """Dense, ReLU, dense after a norm, added: (B, L, C) -> the same shape."""

    def __init__(self, channels: int, ffn_dim: int) -> None:
        super().__init__()
        self.fc1 = dense(channels, ffn_dim)
        self.fc2 = dense(ffn_dim, channels)
        self.layer_norm = Norm(channels)

    def construct(self, x: Tensor) -> Tensor:
        return x + self.fc2(ops.relu(self.fc1(self.layer_norm(x))))


class EncoderLayer(nn.Cell):
    """(B, S, C) -> the same shape."""

    def __init__(self, channels: int, num_heads: int, ffn_dim: int) -> None:
        super().__init__()
        self.attention = Attention(channels, num_heads)
        self.feed_forward_net = FeedForward(channels, ffn_dim)

    def construct(self, x: Tensor, hidden: Tensor) -> Tensor:
        return self.feed_forward_net(self.attention(x, x, hidden))


class DecoderLayer(nn.Cell):
    """(B, T, C) -> the same shape."""

    def __init__(self, channels: int, num_heads: int, ffn_dim: int) -> None:
        super().__init__()
        self.masked_attn = Attention(channels, num_heads)
        self.enc_dec_attn = Attention(channels, num_heads)
        self.feed_forward_net = FeedForward(channels, ffn_dim)

    def construct(self, x: Tensor, later: Tensor, seen: Tensor, hidden: Tensor) -> Tensor:
        x = self.masked_attn(x, x, later)
        return self.feed_forward_net(self.enc_dec_attn(x, seen, hidden))


class Encoder(nn.Cell):
    """(B, S, C) -> the same shape, normalised."""

    def __init__(self, channels: int, depth: int, num_heads: int, ffn_dim: int) -> None:
        super().__init__()
        layers = [EncoderLayer(channels, num_heads, ffn_dim) for _ in range(depth)]
        self.layers = nn.CellList(layers)
        self.layer_norm = Norm(channels)

    def construct(self, x: Tensor, hidden: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, hidden)
        return self.layer_norm(x)


class Decoder(nn.Cell):
    """(B, T, C) -> the same shape, normalised. There are always six layers, as in the files."""

    def __init__(self, channels: int, num_heads: int, ffn_dim: int) -> None:
        super().__init__()
        self.layer0 = DecoderLayer(channels, num_heads, ffn_dim)
        self.layer1 = DecoderLayer(channels, num_heads, ffn_dim)
        self.layer2 = DecoderLayer(channels, num_heads, ffn_dim)
        self.layer3 = DecoderLayer(channels, num_heads, ffn_dim)
        self.layer4 = DecoderLayer(channels, num_heads, ffn_dim)
        self.layer5 = DecoderLayer(channels, num_heads, ffn_dim)
        self.layer_preprocess = Norm(channels)

    def construct(self, x: Tensor, later: Tensor, seen: Tensor, hidden: Tensor) -> Tensor:
        x = self.layer0(x, later, seen, hidden)
        x = self.layer1(x, later, seen, hidden)
        x = self.layer2(x, later, seen, hidden)
        x = self.layer3(x, later, seen, hidden)
        x = self.layer4(x, later, seen, hidden)
        x = self.layer5(x, later, seen, hidden)
        return self.layer_preprocess(x)


class Transformer(nn.Cell):
    """source, target ids, mask -> log-probabilities. Arguments are those of `mass`."""

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        ffn_dim: int,
        longest: int,
    ) -> None:
        super().__init__()
        init = Normal(embed_dim**-0.5)
        self.embedding_lookup = nn.Embedding(vocab_size, embed_dim, embedding_table=init)
        self.encoder = Encoder(embed_dim, depth, num_heads, ffn_dim)
        self.decoder = Decoder(embed_dim, num_heads, ffn_dim)
        self.sines = Tensor(sine_places(longest, embed_dim))
        self.places = Places(longest)
        self.scale = embed_dim**0.5

    def construct(self, source: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        read = self.embed(source, self.places(source.shape[1]))
        hidden = ops.expand_dims(ops.expand_dims(1.0 - mask.astype(read.dtype), 1), 1) * HIDDEN
        seen = self.encoder(read, hidden)
        places = self.places(target.shape[1])
        later = future(places).astype(read.dtype) * HIDDEN
        written = self.decoder(self.embed(target, places), later, seen, hidden)
        logits = ops.matmul(written, self.embedding_lookup.embedding_table.T)
        return ops.log_softmax(logits, -1)

    def embed(self, ids: Tensor, places: Tensor) -> Tensor:
        """Words and where they stand: (B, L, C)."""
        return self.embedding_lookup(ids) * self.scale + ops.gather(self.sines, places, 0)


class MASS(nn.Cell):
    """The Transformer under the name that the files have before it."""

    def __init__(self, transformer: Transformer) -> None:
        super().__init__()
        self.transformer = transformer

    def construct(self, source: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        return self.transformer(source, target, mask)


def mass(
    vocab_size: int = 45744,
    embed_dim: int = 1024,
    depth: int = 6,
    num_heads: int = 8,
    ffn_dim: int = 4096,
    longest: int = 1024,
) -> MASS:
    """MASS: source ids int32 (B, S), target ids (B, T), mask (B, S) -> (B, T, vocab_size).

    The mask is 1 for tokens and 0 for padding. The result is the log-probability of each target
    token's successor, given those before it; padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token.
        depth: layers of the encoder; the decoder has six.
        num_heads: heads of each attention.
        ffn_dim: channels inside the feed-forward.
        longest: tokens of a row, at most.

    Raises:
        ValueError: heads that do not divide.
    """
    if embed_dim % num_heads:
        raise ValueError(f"{num_heads} heads over {embed_dim} channels")
    return MASS(Transformer(vocab_size, embed_dim, depth, num_heads, ffn_dim, longest))
