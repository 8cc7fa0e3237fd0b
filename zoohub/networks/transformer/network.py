"""The Transformer for translation: an encoder, and a decoder that is asked for the next token.

Source: Vaswani et al., "Attention Is All You Need" (2017), as the models repository defines it
(official/nlp/transformer, and the branch dynamic_shape): each block normalises its input, the last
layer normalises once more, and the embedding is the output layer too. Shapes: B sentences, S
source tokens, T target tokens, C = `hidden_size`, V = `vocab_size`.

The search that turns it into a translator is in `zoohub.tasks.translation.beam_search`.
"""

from __future__ import annotations

import math

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore import dtype as mstype
from mindspore.common.initializer import Normal, initializer

from zoohub.networks.layers.attention import merge_heads, scores, split_heads, weighted_sum

MASKED = -10000.0  # added to the scores of what is not to be seen
EPSILON = 1e-7
IDS = (None, None)  # any number of sentences, of any length
_TIMES_TRANSPOSED = ops.MatMul(transpose_b=True)


class Embedding(nn.Cell):
    """Ids (B, N) -> the table's rows times sqrt(C), plus sinusoids of their places: (B, N, C)."""

    def __init__(self, vocab_size: int, hidden_size: int, places: int, dropout: float) -> None:
        super().__init__()
        self.embedding_table = Parameter(
            initializer(Normal(hidden_size**-0.5), (vocab_size, hidden_size), mstype.float32),
            name="embedding_table",
        )
        self.scale = math.sqrt(hidden_size)
        self.sinusoids = Tensor(sinusoids(places, hidden_size))
        self.dropout = nn.Dropout(p=dropout)

    def construct(self, ids: Tensor) -> Tensor:
        rows = ops.gather(self.embedding_table, ids, 0) * self.scale
        return self.dropout(rows + self.sinusoids[: ids.shape[1]])


def sinusoids(places: int, channels: int) -> np.ndarray:
    """Sines in the first half of the channels, cosines in the second: float32 (places, channels).

    The wavelengths go from 2π to 10000 · 2π in a geometric series. All of it is computed in
    float32, as the publisher did: late places differ by 1e-5 otherwise.
    """
    half = channels // 2
    step = np.float32(-math.log(10000.0) / max(1, half - 1))
    rates = np.exp(np.arange(half, dtype=np.float32) * step)
    angles = np.arange(places, dtype=np.float32)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], 1)


class MultiHeadAttention(nn.Cell):
    """Queries from (B, T, C), keys and values from (B, S, C), `hidden` (B, T, S) added to the
    scores: (B, T, C)."""

    def __init__(self, hidden_size: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.scale = (hidden_size // num_heads) ** -0.5
        self.query_layer = nn.Dense(hidden_size, hidden_size, has_bias=False)
        self.key_layer = nn.Dense(hidden_size, hidden_size, has_bias=False)
        self.value_layer = nn.Dense(hidden_size, hidden_size, has_bias=False)
        self.out_layer = nn.Dense(hidden_size, hidden_size, has_bias=False)
        self.dropout = nn.Dropout(p=dropout)

    def construct(self, x: Tensor, memory: Tensor, hidden: Tensor) -> Tensor:
        query = split_heads(self.query_layer(x), self.num_heads)
        key = split_heads(self.key_layer(memory), self.num_heads)
        value = split_heads(self.value_layer(memory), self.num_heads)
        seen = scores(query, key) * self.scale + ops.expand_dims(hidden, 1)
        weights = self.dropout(ops.softmax(seen, -1))
        return self.out_layer(merge_heads(weighted_sum(weights, value)))


class Normalised(nn.Cell):
    """The layer norm before each block."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.layernorm = nn.LayerNorm((hidden_size,), epsilon=EPSILON)

    def construct(self, x: Tensor) -> Tensor:
        return self.layernorm(x)


class SelfAttention(nn.Cell):
    """Tokens (B, N, C) attend to each other: the same shape."""

    def __init__(self, size: int, heads: int, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(size, heads, attention_dropout)
        self.preprocess = Normalised(size)
        self.dropout = nn.Dropout(p=dropout)

    def construct(self, x: Tensor, hidden: Tensor) -> Tensor:
        own = self.preprocess(x)
        return x + self.dropout(self.attention(own, own, hidden))


class CrossAttention(nn.Cell):
    """Target tokens (B, T, C) attend to the encoder's output (B, S, C): (B, T, C)."""

    def __init__(self, size: int, heads: int, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(size, heads, attention_dropout)
        self.preprocess = Normalised(size)
        self.dropout = nn.Dropout(p=dropout)

    def construct(self, x: Tensor, memory: Tensor, hidden: Tensor) -> Tensor:
        return x + self.dropout(self.attention(self.preprocess(x), memory, hidden))


class FeedForward(nn.Cell):
    """Each token by itself: (B, N, C) -> the same shape."""

    def __init__(self, hidden_size: int, intermediate_size: int, dropout: float) -> None:
        super().__init__()
        self.conv1 = nn.Dense(hidden_size, intermediate_size)
        self.conv2 = nn.Dense(intermediate_size, hidden_size)
        self.preprocess = Normalised(hidden_size)
        self.dropout = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        inner = self.dropout(ops.relu(self.conv1(self.preprocess(x))))
        return x + self.dropout(self.conv2(inner))


class EncoderLayer(nn.Cell):
    """(B, S, C) -> the same shape."""

    def __init__(self, size: int, heads: int, wide: int, drop: float, attention: float) -> None:
        super().__init__()
        self.attention = SelfAttention(size, heads, drop, attention)
        self.feedforward = FeedForward(size, wide, drop)

    def construct(self, x: Tensor, hidden: Tensor) -> Tensor:
        return self.feedforward(self.attention(x, hidden))


class DecoderLayer(nn.Cell):
    """(B, T, C) -> the same shape, seeing the encoder's output."""

    def __init__(self, size: int, heads: int, wide: int, drop: float, attention: float) -> None:
        super().__init__()
        self.self_attention = SelfAttention(size, heads, drop, attention)
        self.cross_attention = CrossAttention(size, heads, drop, attention)
        self.feedforward = FeedForward(size, wide, drop)

    def construct(self, x: Tensor, future: Tensor, memory: Tensor, hidden: Tensor) -> Tensor:
        x = self.cross_attention(self.self_attention(x, future), memory, hidden)
        return self.feedforward(x)


class Encoder(nn.Cell):
    """Embedded source tokens (B, S, C) -> what the decoder sees of them: (B, S, C)."""

    def __init__(self, layers: list[EncoderLayer], hidden_size: int) -> None:
        super().__init__()
        self.layers = nn.CellList(layers)
        self.layer_preprocess = Normalised(hidden_size)

    def construct(self, x: Tensor, hidden: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, hidden)
        return self.layer_preprocess(x)


class Decoder(nn.Cell):
    """Embedded target tokens (B, T, C) -> what the next tokens follow from: (B, T, C)."""

    def __init__(self, layers: list[DecoderLayer], hidden_size: int) -> None:
        super().__init__()
        self.layers = nn.CellList(layers)
        self.layer_preprocess = Normalised(hidden_size)

    def construct(self, x: Tensor, future: Tensor, memory: Tensor, hidden: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, future, memory, hidden)
        return self.layer_preprocess(x)


class Transformer(nn.Cell):
    """Teacher forcing: the logarithms of the probabilities of each next token.

    `source_ids`, `source_mask` int32 (B, S) and `target_ids`, `target_mask` int32 (B, T), masks 1
    on tokens and 0 on padding -> float32 (B·T, V). A graph compiled once takes any B, S and T up
    to `places`. `encode` and `decode` are its two halves, for those who search.
    """

    def __init__(
        self,
        hidden_size: int,
        layers: int,
        heads: int,
        intermediate_size: int,
        vocab_size: int,
        places: int,
        dropout: float,
        attention_dropout: float,
    ) -> None:
        super().__init__()
        shape = (hidden_size, heads, intermediate_size, dropout, attention_dropout)
        self.tfm_embedding_lookup = Embedding(vocab_size, hidden_size, places, dropout)
        self.tfm_encoder = Encoder([EncoderLayer(*shape) for _ in range(layers)], hidden_size)
        self.tfm_decoder = Decoder([DecoderLayer(*shape) for _ in range(layers)], hidden_size)
        earlier = np.tril(np.ones((places, places), np.float32))
        self.earlier = Tensor(earlier)
        any_ids = Tensor(shape=IDS, dtype=mstype.int32)
        self.set_inputs(any_ids, any_ids, any_ids, any_ids)

    def encode(self, source_ids: Tensor, source_mask: Tensor) -> Tensor:
        """(B, S) ids and mask -> (B, S, C)."""
        seen = ops.cast(source_mask, mstype.float32)
        return self.tfm_encoder(self.tfm_embedding_lookup(source_ids), _unseen(seen, seen))

    def decode(
        self, memory: Tensor, source_mask: Tensor, target_ids: Tensor, target_mask: Tensor
    ) -> Tensor:
        """What the encoder gave, (B, S, C), and the target so far, (B, T) -> (B, T, C)."""
        source = ops.cast(source_mask, mstype.float32)
        target = ops.cast(target_mask, mstype.float32)
        length = target_ids.shape[1]
        own = _outer(target, target) * self.earlier[:length, :length]
        embedded = self.tfm_embedding_lookup(target_ids)
        return self.tfm_decoder(embedded, (1.0 - own) * MASKED, memory, _unseen(target, source))

    def log_probabilities(self, states: Tensor) -> Tensor:
        """(N, C) -> (N, V)."""
        table = self.tfm_embedding_lookup.embedding_table
        return ops.log_softmax(_TIMES_TRANSPOSED(states, table), -1)

    def construct(
        self, source_ids: Tensor, source_mask: Tensor, target_ids: Tensor, target_mask: Tensor
    ) -> Tensor:
        memory = self.encode(source_ids, source_mask)
        states = self.decode(memory, source_mask, target_ids, target_mask)
        return self.log_probabilities(ops.reshape(states, (-1, states.shape[2])))


def _outer(rows: Tensor, columns: Tensor) -> Tensor:
    """(B, T), (B, S) -> their products (B, T, S)."""
    return ops.expand_dims(rows, 2) * ops.expand_dims(columns, 1)


def _unseen(rows: Tensor, columns: Tensor) -> Tensor:
    """What is added to the scores (B, T, S): nothing where both are tokens."""
    return (1.0 - _outer(rows, columns)) * MASKED


def transformer(
    hidden_size: int = 1024,
    num_hidden_layers: int = 6,
    num_attention_heads: int | None = None,
    intermediate_size: int = 4096,
    vocab_size: int = 36560,
    seq_length: int = 128,
    max_position_embeddings: int = 128,
    hidden_dropout_prob: float = 0.2,
    attention_probs_dropout_prob: float = 0.2,
    beam_width: int = 4,
    max_decode_length: int = 80,
    length_penalty_weight: float = 1.0,
) -> Transformer:
    """The Transformer; the defaults are those of the models repository's `large`.

    Args:
        hidden_size: C, even and a multiple of `num_attention_heads`.
        num_hidden_layers: of the encoder, and of the decoder.
        num_attention_heads: of every attention; None: one for each 64 channels, as all of the
            publisher's have.
        intermediate_size: channels between the two layers of a feed-forward block.
        vocab_size: V, of both languages together.
        seq_length: the publisher's length of padded sentences; lengths are free here.
        max_position_embeddings: the longest sentence, in tokens with its end.
        hidden_dropout_prob: in training, of what each block adds.
        attention_probs_dropout_prob: in training, of the attention's weights.
        beam_width, max_decode_length, length_penalty_weight: of the search, which the network does
            not do itself; a translation may be longer than `max_position_embeddings`.

    Raises:
        ValueError: the heads do not divide the channels.
    """
    heads = num_attention_heads or max(1, hidden_size // 64)
    if hidden_size % heads or hidden_size % 2:
        raise ValueError(
            f"hidden_size={hidden_size} should be even and a multiple of "
            f"num_attention_heads={heads}"
        )
    places = max(max_position_embeddings, seq_length, max_decode_length + 1)
    return Transformer(
        hidden_size,
        num_hidden_layers,
        heads,
        intermediate_size,
        vocab_size,
        places,
        hidden_dropout_prob,
        attention_probs_dropout_prob,
    )
