"""The encoder of BERT and its kin: embeddings, and blocks that normalise after each part.

Source: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers" (2019). Parameter
names are those of the models repository. Shapes: B texts, N tokens, C channels, H heads of D.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal

from zoohub.networks.layers.activations import activation
from zoohub.networks.layers.attention import merge_heads, scores, split_heads, weighted_sum
from zoohub.networks.layers.dense import TurnedDense, dense, layer_norm

Positions = Literal["used", "unused", "absent"]

_MASKED = -10000.0  # added to the scores of padding: their weights become 0


@dataclass(frozen=True, slots=True)
class EncoderSizes:
    """What the cells of an encoder are built from; `bert` says what each is.

    `block_norm_eps` is the epsilon of the blocks' layer norms where it is another than that of the
    embeddings'. `turned`: the weights behind attention, and of the two dense layers, are (in, out).
    """

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    max_position_embeddings: int
    type_vocab_size: int
    hidden_act: str
    layer_norm_eps: float
    dropout: float = 0.0
    block_norm_eps: float | None = None
    turned: bool = False

    def __post_init__(self) -> None:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"{self.num_attention_heads} heads do not divide a hidden size of "
                f"{self.hidden_size}"
            )

    @property
    def inner_eps(self) -> float:
        """The epsilon of the blocks' layer norms."""
        return self.layer_norm_eps if self.block_norm_eps is None else self.block_norm_eps


def inner_dense(in_channels: int, out_channels: int, sizes: EncoderSizes) -> nn.Cell:
    """A dense layer of a block, its weight the way round that `sizes` says."""
    if sizes.turned:
        return TurnedDense(in_channels, out_channels)
    return dense(in_channels, out_channels)


def embedding(rows: int, channels: int) -> nn.Embedding:
    """A table whose values start at a truncated normal distribution of 0.02."""
    return nn.Embedding(rows, channels, embedding_table=TruncatedNormal(0.02))


def padding_bias(mask: Tensor) -> Tensor:
    """1 for tokens and 0 for padding (B, N) -> what is added to scores: float32 (B, 1, 1, N)."""
    return ops.expand_dims(ops.expand_dims((1.0 - ops.cast(mask, ms.float32)) * _MASKED, 1), 1)


class EmbeddingPostprocessor(nn.Cell):
    """Words (B, N, C), their types (B, N) -> embeddings (B, N, C).

    The first token's position is the table's row `first`. Blocks that know distances have no use
    for positions: their table is "unused" or "absent".
    """

    def __init__(self, sizes: EncoderSizes, positions: Positions = "used", first: int = 0) -> None:
        super().__init__()
        self.positions = positions == "used"
        self.first = first
        self.token_type_embedding = embedding(sizes.type_vocab_size, sizes.hidden_size)
        if positions != "absent":
            rows = sizes.max_position_embeddings
            self.full_position_embedding = embedding(rows, sizes.hidden_size)
        self.layernorm = layer_norm(sizes.hidden_size, sizes.layer_norm_eps)
        self.dropout = nn.Dropout(p=sizes.dropout)

    def construct(self, words: Tensor, token_type_ids: Tensor) -> Tensor:
        x = words + self.token_type_embedding(token_type_ids)
        if self.positions:
            table = self.full_position_embedding.embedding_table
            x = x + table[self.first : self.first + words.shape[1]]
        return self.dropout(self.layernorm(x))


class SelfAttention(nn.Cell):
    """(B, N, C), bias of the scores (B, 1, 1, N) -> (B, N, C), scores (B, H, N, N).

    `distances`, a cell that gives the embeddings of all distances in a text of N tokens as
    (N, N, D), makes keys and values depend on them (NEZHA).
    """

    def __init__(self, sizes: EncoderSizes, distances: nn.Cell | None = None) -> None:
        super().__init__()
        channels = sizes.hidden_size
        self.num_heads = sizes.num_attention_heads
        self.scale = 1.0 / math.sqrt(channels // sizes.num_attention_heads)
        self.query_layer = dense(channels, channels)
        self.key_layer = dense(channels, channels)
        self.value_layer = dense(channels, channels)
        self.by_distance = distances is not None
        if distances is not None:
            self._generate_relative_positions_embeddings = distances
        self.dropout = nn.Dropout(p=sizes.dropout)

    def construct(self, x: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        query = split_heads(self.query_layer(x), self.num_heads)
        key = split_heads(self.key_layer(x), self.num_heads)
        value = split_heads(self.value_layer(x), self.num_heads)
        found = scores(query, key)
        if self.by_distance:
            table = self._generate_relative_positions_embeddings(x.shape[1])
            found = found + ops.squeeze(ops.matmul(_column(query), _turned(table)), -2)
        found = found * self.scale + bias.astype(found.dtype)
        weights = self.dropout(ops.softmax(found, -1))
        context = weighted_sum(weights, value)
        if self.by_distance:
            context = context + ops.squeeze(ops.matmul(ops.expand_dims(weights, -2), table), -2)
        return merge_heads(context), found


def _column(x: Tensor) -> Tensor:
    return ops.expand_dims(x, -2)


def _turned(table: Tensor) -> Tensor:
    return ops.transpose(table, (0, 2, 1))


class Output(nn.Cell):
    """A dense layer, added to what went before and normalised: (B, N, channels) -> (B, N, C)."""

    def __init__(self, channels: int, sizes: EncoderSizes) -> None:
        super().__init__()
        self.dense = inner_dense(channels, sizes.hidden_size, sizes)
        self.dropout = nn.Dropout(p=sizes.dropout)
        self.layernorm = layer_norm(sizes.hidden_size, sizes.inner_eps)

    def construct(self, x: Tensor, before: Tensor) -> Tensor:
        return self.layernorm(self.dropout(self.dense(x)) + before)


class AttentionBlock(nn.Cell):
    """Self-attention and its output: (B, N, C), bias -> (B, N, C), scores."""

    def __init__(self, sizes: EncoderSizes, attention: nn.Cell | None = None) -> None:
        super().__init__()
        self.attention = SelfAttention(sizes) if attention is None else attention
        self.output = Output(sizes.hidden_size, sizes)

    def construct(self, x: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        context, found = self.attention(x, bias)
        return self.output(context, x), found


class EncoderLayer(nn.Cell):
    """Attention, then two dense layers: (B, N, C), bias (B, 1, 1, N) -> (B, N, C), scores.

    `attention` is a cell of `SelfAttention`'s kind, in place of a plain one.
    """

    def __init__(self, sizes: EncoderSizes, attention: nn.Cell | None = None) -> None:
        super().__init__()
        self.attention = AttentionBlock(sizes, attention)
        self.intermediate = inner_dense(sizes.hidden_size, sizes.intermediate_size, sizes)
        self.activation = activation(sizes.hidden_act)
        self.output = Output(sizes.intermediate_size, sizes)

    def construct(self, x: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        x, found = self.attention(x, bias)
        return self.output(self.activation(self.intermediate(x)), x), found


class Encoder(nn.Cell):
    """All blocks: (B, N, C), bias (B, 1, 1, N) -> (B, N, C)."""

    def __init__(self, layers: list[nn.Cell]) -> None:
        super().__init__()
        self.layers = nn.CellList(layers)

    def construct(self, x: Tensor, bias: Tensor) -> Tensor:
        for layer in self.layers:
            x, _ = layer(x, bias)
        return x
