"""LUKE: a RoBERTa that reads entities beside words, each pair of the two with queries of its own.

Source: Yamada et al., "LUKE: Deep Contextualized Entity Representations with Entity-aware
Self-attention" (2020). Parameter names are those of the models repository. Shapes: B texts, W
words, E entities, P places of one entity, C channels, H heads of D.
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.activations import activation
from zoohub.networks.layers.attention import merge_heads, scores, split_heads, weighted_sum
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.naming import rename_parameters
from zoohub.networks.layers.text_encoder import (
    EncoderSizes,
    Output,
    embedding,
    padding_bias,
)

_PADDING = 1  # the word of padding; positions count from the row after its


class WordEmbeddings(nn.Cell):
    """Words and their kinds (B, W) -> embeddings (B, W, C)."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        channels = sizes.hidden_size
        self.word_embeddings = embedding(sizes.vocab_size, channels)
        self.position_embeddings = embedding(sizes.max_position_embeddings, channels)
        self.token_type_embeddings = embedding(sizes.type_vocab_size, channels)
        self.LayerNorm = layer_norm(channels, sizes.layer_norm_eps)

    def construct(self, word_ids: Tensor, segment_ids: Tensor) -> Tensor:
        is_word = ops.cast(ops.not_equal(word_ids, _PADDING), ms.int32)
        places = ops.cumsum(is_word, 1) * is_word + _PADDING
        x = self.word_embeddings(word_ids) + self.position_embeddings(places)
        return self.LayerNorm(x + self.token_type_embeddings(segment_ids))


class EntityEmbeddings(nn.Cell):
    """Entities, their kinds (B, E), their places (B, E, P) -> embeddings (B, E, C).

    An entity's position is the mean of those of its words; places of -1 are none.
    """

    def __init__(self, sizes: EncoderSizes, entities: int, width: int) -> None:
        super().__init__()
        channels = sizes.hidden_size
        self.entity_embeddings = embedding(entities, width)
        self.widens = width != channels
        if self.widens:
            self.entity_embedding_dense = dense(width, channels, bias=False)
        self.position_embeddings = embedding(sizes.max_position_embeddings, channels)
        self.token_type_embeddings = embedding(sizes.type_vocab_size, channels)
        self.LayerNorm = layer_norm(channels, sizes.layer_norm_eps)

    def construct(self, entity_ids: Tensor, position_ids: Tensor, segment_ids: Tensor) -> Tensor:
        x = self.entity_embeddings(entity_ids)
        x = self.entity_embedding_dense(x) if self.widens else x
        known = ops.expand_dims(ops.cast(ops.not_equal(position_ids, -1), ms.float32), -1)
        places = self.position_embeddings(ops.maximum(position_ids, 0)) * known
        places = ops.sum(places, -2) / ops.maximum(ops.sum(known, -2), 1e-7)
        return self.LayerNorm(x + places + self.token_type_embeddings(segment_ids))


class EntityAwareAttention(nn.Cell):
    """(B, W + E, C), bias (B, 1, 1, W + E), number of words -> (B, W + E, C).

    Rows are words, then entities. Which keys count as those of words is the models repository's:
    the first half of all.
    """

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        channels = sizes.hidden_size
        self.num_heads = sizes.num_attention_heads
        self.scale = (channels // self.num_heads) ** -0.5
        self.query = dense(channels, channels)
        self.key = dense(channels, channels)
        self.value = dense(channels, channels)
        self.w2e_query = dense(channels, channels)
        self.e2w_query = dense(channels, channels)
        self.e2e_query = dense(channels, channels)

    def construct(self, x: Tensor, bias: Tensor, words: int) -> Tensor:
        word, entity = x[:, :words], x[:, words:]
        half = x.shape[1] // 2
        key = split_heads(self.key(x), self.num_heads)
        to_words = ops.concat((self.query(word), self.e2w_query(entity)), 1)
        to_entities = ops.concat((self.w2e_query(word), self.e2e_query(entity)), 1)
        found = ops.concat(
            (
                scores(split_heads(to_words, self.num_heads), key[:, :, :half]),
                scores(split_heads(to_entities, self.num_heads), key[:, :, half:]),
            ),
            -1,
        )
        found = ops.cast(found, ms.float32) * self.scale + bias
        value = split_heads(self.value(x), self.num_heads)
        weights = ops.cast(ops.softmax(found, -1), value.dtype)
        return merge_heads(weighted_sum(weights, value))


class EntityAwareBlock(nn.Cell):
    """Attention and its output: (B, W + E, C), bias, number of words -> (B, W + E, C)."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.self1 = EntityAwareAttention(sizes)
        self.output = Output(sizes.hidden_size, sizes)

    def construct(self, x: Tensor, bias: Tensor, words: int) -> Tensor:
        return self.output(self.self1(x, bias, words), x)


class EntityAwareLayer(nn.Cell):
    """Attention, then two dense layers: (B, W + E, C), bias, number of words -> (B, W + E, C)."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.attention = EntityAwareBlock(sizes)
        self.intermediate = dense(sizes.hidden_size, sizes.intermediate_size)
        self.activation = activation(sizes.hidden_act)
        self.output = Output(sizes.intermediate_size, sizes)

    def construct(self, x: Tensor, bias: Tensor, words: int) -> Tensor:
        x = self.attention(x, bias, words)
        return self.output(self.activation(self.intermediate(x)), x)


class EntityAwareEncoder(nn.Cell):
    """All layers: (B, W + E, C), bias (B, 1, 1, W + E), number of words -> (B, W + E, C)."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.layer = nn.CellList([EntityAwareLayer(sizes) for _ in range(sizes.num_hidden_layers)])

    def construct(self, x: Tensor, bias: Tensor, words: int) -> Tensor:
        for layer in self.layer:
            x = layer(x, bias, words)
        return x


class Luke(nn.Cell):
    """Words, their kinds and mask (B, W), entities (B, E), places (B, E, P), kinds, mask (B, E).

    All int32. Gives the states of words (B, W, C) and of entities (B, E, C).
    """

    def __init__(self, sizes: EncoderSizes, entities: int, width: int) -> None:
        super().__init__()
        self.encoder = EntityAwareEncoder(sizes)
        self.entity_embeddings = EntityEmbeddings(sizes, entities, width)
        self.embeddings = WordEmbeddings(sizes)

    def construct(
        self,
        word_ids: Tensor,
        word_segment_ids: Tensor,
        word_attention_mask: Tensor,
        entity_ids: Tensor,
        entity_position_ids: Tensor,
        entity_segment_ids: Tensor,
        entity_attention_mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        words = word_ids.shape[1]
        entities = self.entity_embeddings(entity_ids, entity_position_ids, entity_segment_ids)
        x = ops.concat((self.embeddings(word_ids, word_segment_ids), entities), 1)
        mask = ops.concat((word_attention_mask, entity_attention_mask), 1)
        x = self.encoder(x, padding_bias(mask), words)
        return x[:, :words], x[:, words:]


class LukeAnswers(nn.Cell):
    """As `Luke` -> logits of where an answer starts and ends, each (B, W)."""

    def __init__(self, luke: Luke, channels: int) -> None:
        super().__init__()
        self.luke = luke
        self.qa_outputs = dense(channels, 2)

    def construct(
        self,
        word_ids: Tensor,
        word_segment_ids: Tensor,
        word_attention_mask: Tensor,
        entity_ids: Tensor,
        entity_position_ids: Tensor,
        entity_segment_ids: Tensor,
        entity_attention_mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        states, _ = self.luke(
            word_ids,
            word_segment_ids,
            word_attention_mask,
            entity_ids,
            entity_position_ids,
            entity_segment_ids,
            entity_attention_mask,
        )
        logits = self.qa_outputs(ops.cast(states, ms.float32))
        return logits[..., 0], logits[..., 1]


def luke(
    vocab_size: int = 50265,
    hidden_size: int = 1024,
    num_hidden_layers: int = 24,
    num_attention_heads: int = 16,
    intermediate_size: int = 4096,
    max_position_embeddings: int = 514,
    type_vocab_size: int = 1,
    hidden_act: str = "gelu",
    layer_norm_eps: float = 1e-5,
    entity_vocab_size: int = 500000,
    entity_emb_size: int = 256,
    half_precision: bool = True,
    dropout: float = 0.0,
) -> LukeAnswers:
    """LUKE for answers: logits of start and end, each (B, W), of `Luke`'s seven inputs.

    The arguments are those of `bert`, with the large LUKE's sizes, but for

    Args:
        max_position_embeddings: words of the longest text and 2 more.
        entity_vocab_size: entities that are known.
        entity_emb_size: channels of an entity.
        half_precision: dense layers and layer norms below the head compute in float16, as the
            publisher's do, whatever the weights' type; it shows in the third digit, and makes
            `export(…, check=True)` refuse.

    Raises:
        ValueError: no such activation, or heads that do not divide the hidden size.
    """
    sizes = EncoderSizes(
        vocab_size,
        hidden_size,
        num_hidden_layers,
        num_attention_heads,
        intermediate_size,
        max_position_embeddings,
        type_vocab_size,
        hidden_act,
        layer_norm_eps,
        dropout,
    )
    net = LukeAnswers(Luke(sizes, entity_vocab_size, entity_emb_size), hidden_size)
    if half_precision:
        for _, cell in net.luke.cells_and_names():
            if isinstance(cell, nn.Dense | nn.LayerNorm):
                cell.to_float(ms.float16)
    rename_parameters(net, _published_name)
    return net


def _published_name(place: str) -> str:
    return place.replace(".layernorm.", ".LayerNorm.").replace(
        ".intermediate.", ".intermediate.dense."
    )
