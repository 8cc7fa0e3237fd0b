"""ALBERT: a BERT whose blocks share their weights and whose words are narrower than its states.

Source: Lan et al., "ALBERT: A Lite BERT for Self-supervised Learning of Language Representations"
(2020). Parameter names are those of the models repository. Shapes: B texts, N tokens, C channels,
E channels of a word.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.text_encoder import (
    EncoderLayer,
    EncoderSizes,
    embedding,
    padding_bias,
)

HEADS = ("encoder", "classification", "question-answering")


class Embeddings(nn.Cell):
    """Words (B, N, E), their types (B, N) -> embeddings (B, N, E)."""

    def __init__(self, sizes: EncoderSizes, channels: int) -> None:
        super().__init__()
        init = TruncatedNormal(0.02)
        self.embedding_table = Parameter(initializer(init, (sizes.type_vocab_size, channels)))
        self.full_position_embeddings = Parameter(
            initializer(init, (sizes.max_position_embeddings, channels))
        )
        self.layernorm = layer_norm(channels, sizes.layer_norm_eps)
        self.dropout = nn.Dropout(p=sizes.dropout)

    def construct(self, words: Tensor, token_type_ids: Tensor) -> Tensor:
        x = words + ops.gather(self.embedding_table, token_type_ids, 0)
        x = x + self.full_position_embeddings[: words.shape[1]]
        return self.dropout(self.layernorm(x))


class Group(nn.Cell):
    """The blocks that are repeated: (B, N, C), bias (B, 1, 1, N) -> (B, N, C)."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.inner_group = nn.CellList([EncoderLayer(sizes)])

    def construct(self, x: Tensor, bias: Tensor) -> Tensor:
        for layer in self.inner_group:
            x, _ = layer(x, bias)
        return x


class SharedEncoder(nn.Cell):
    """One group, again and again: (B, N, E), bias (B, 1, 1, N) -> (B, N, C)."""

    def __init__(self, sizes: EncoderSizes, channels: int) -> None:
        super().__init__()
        self.times = sizes.num_hidden_layers
        self.embedding_hidden_mapping_in = dense(channels, sizes.hidden_size)
        self.group = nn.CellList([Group(sizes)])

    def construct(self, x: Tensor, bias: Tensor) -> Tensor:
        x = self.embedding_hidden_mapping_in(x)
        for _ in range(self.times):
            x = self.group[0](x, bias)
        return x


class Albert(nn.Cell):
    """int32 (B, N) three times -> states (B, N, C), pooled (B, C), table of words (V, E)."""

    gives = ("states", "pooled", "table")

    def __init__(self, sizes: EncoderSizes, channels: int) -> None:
        super().__init__()
        self.albert_embedding_lookup = embedding(sizes.vocab_size, channels)
        self.albert_embedding_postprocessor = Embeddings(sizes, channels)
        self.albert_encoder = SharedEncoder(sizes, channels)
        self.dense = dense(sizes.hidden_size, sizes.hidden_size)

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        words = self.albert_embedding_lookup(input_ids)
        x = self.albert_embedding_postprocessor(words, token_type_ids)
        x = self.albert_encoder(x, padding_bias(attention_mask))
        return x, ops.tanh(self.dense(x[:, 0])), self.albert_embedding_lookup.embedding_table


class AlbertClassifier(nn.Cell):
    """int32 (B, N) three times -> log-probabilities of a text's classes (B, num_labels)."""

    gives = ("classes",)

    def __init__(self, albert: Albert, channels: int, num_labels: int) -> None:
        super().__init__()
        self.albert = albert
        self.dense_1 = dense(channels, num_labels)

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> Tensor:
        _, pooled, _ = self.albert(input_ids, token_type_ids, attention_mask)
        return ops.log_softmax(self.dense_1(pooled), -1)


class AlbertAnswers(nn.Cell):
    """int32 (B, N) three times -> log-probabilities of an answer's start and end (B, N, 2)."""

    gives = ("answers",)

    def __init__(self, albert: Albert, channels: int) -> None:
        super().__init__()
        self.albert = albert
        self.dense1 = dense(channels, 2)

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> Tensor:
        states, _, _ = self.albert(input_ids, token_type_ids, attention_mask)
        return ops.log_softmax(self.dense1(states), 1)


def albert(
    vocab_size: int = 30000,
    hidden_size: int = 768,
    num_hidden_layers: int = 12,
    num_attention_heads: int = 12,
    intermediate_size: int = 3072,
    max_position_embeddings: int = 512,
    type_vocab_size: int = 2,
    hidden_act: str = "gelu_tanh",
    layer_norm_eps: float = 1e-7,
    embedding_size: int = 128,
    head: str = "encoder",
    num_labels: int = 2,
    dropout: float = 0.0,
) -> nn.Cell:
    """ALBERT: int32 `input_ids`, `token_type_ids`, `attention_mask`, each (B, N).

    The arguments are those of `bert`, with the base ALBERT's sizes, but for

    Args:
        num_hidden_layers: how often the one block is applied.
        embedding_size: channels of a word.
        head: "encoder": states (B, N, C), pooled (B, C) and the table of words;
            "classification": log-probabilities (B, num_labels); "question-answering": those of
            start and end over the tokens (B, N, 2).

    Raises:
        ValueError: another head, no such activation, or heads that do not divide the hidden size.
    """
    if head not in HEADS:
        raise ValueError(f"a head of ALBERT is {', '.join(HEADS)}, not {head!r}")
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
    net = Albert(sizes, embedding_size)
    if head == "classification":
        return AlbertClassifier(net, hidden_size, num_labels)
    return AlbertAnswers(net, hidden_size) if head == "question-answering" else net
