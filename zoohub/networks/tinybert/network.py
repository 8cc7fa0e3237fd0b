"""TinyBERT: a BERT of a few narrow blocks, taught by what a large one computes inside.

Source: Jiao et al., "TinyBERT: Distilling BERT for Natural Language Understanding" (2020).
Parameter names are those of the models repository. Shapes: B texts, N tokens, C channels, H heads.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.bert.network import Bert
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.naming import rename_parameters
from zoohub.networks.layers.text_encoder import (
    EmbeddingPostprocessor,
    Encoder,
    EncoderLayer,
    EncoderSizes,
    embedding,
    padding_bias,
)


class TinyBert(nn.Cell):
    """int32 (B, N) three times -> what a pupil is compared by.

    States (B, N, C), pooled (B, C), the table of words, then the states before and after each
    block (B·N, C), and the scores of each block's attention (B, H, N, N).
    """

    gives = ("states", "pooled", "table", "inside_*")

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.hidden_size = sizes.hidden_size
        self.tinybert_embedding_lookup = embedding(sizes.vocab_size, sizes.hidden_size)
        self.tinybert_embedding_postprocessor = EmbeddingPostprocessor(sizes)
        self.tinybert_encoder = Encoder(
            [EncoderLayer(sizes) for _ in range(sizes.num_hidden_layers)]
        )
        self.dense = dense(sizes.hidden_size, sizes.hidden_size)

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> tuple[Tensor, ...]:
        words = self.tinybert_embedding_lookup(input_ids)
        x = self.tinybert_embedding_postprocessor(words, token_type_ids)
        bias = padding_bias(attention_mask)
        states: tuple[Tensor, ...] = (self.flat(x),)
        attention: tuple[Tensor, ...] = ()
        for layer in self.tinybert_encoder.layers:
            x, found = layer(x, bias)
            states = (*states, self.flat(x))
            attention = (*attention, found)
        pooled = ops.tanh(self.dense(x[:, 0]))
        table = self.tinybert_embedding_lookup.embedding_table
        return (x, pooled, table, *states, *attention)

    def flat(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B·N, C)."""
        return ops.reshape(x, (-1, self.hidden_size))


class TinyBertClassifier(nn.Cell):
    """int32 (B, N) three times -> log-probabilities of a text's classes (B, num_labels)."""

    gives = ("classes",)

    def __init__(self, sizes: EncoderSizes, num_labels: int) -> None:
        super().__init__()
        self.tinybert = Bert(sizes)
        self.dense_1 = dense(sizes.hidden_size, num_labels)
        rename_parameters(self, lambda place: place.replace(".bert_", ".tinybert_"))

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> Tensor:
        _, pooled, _ = self.tinybert(input_ids, token_type_ids, attention_mask)
        return ops.log_softmax(self.dense_1(ops.relu(pooled)), -1)


def tinybert(
    vocab_size: int = 30522,
    hidden_size: int = 384,
    num_hidden_layers: int = 4,
    num_attention_heads: int = 12,
    intermediate_size: int = 1536,
    max_position_embeddings: int = 512,
    type_vocab_size: int = 16,
    hidden_act: str = "gelu_tanh",
    layer_norm_eps: float = 1e-7,
    head: str = "encoder",
    num_labels: int = 2,
    dropout: float = 0.0,
) -> nn.Cell:
    """TinyBERT: int32 `input_ids`, `token_type_ids`, `attention_mask`, each (B, N).

    The arguments are those of `bert`, with TinyBERT's sizes, but for

    Args:
        head: "encoder": states (B, N, C), pooled (B, C), the table of words (V, C),
            `num_hidden_layers + 1` states (B·N, C) and as many scores (B, H, N, N) as blocks;
            "classification": log-probabilities (B, num_labels).

    Raises:
        ValueError: another head, no such activation, or heads that do not divide the hidden size.
    """
    if head not in ("encoder", "classification"):
        raise ValueError(f"a head of TinyBERT is encoder or classification, not {head!r}")
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
    return TinyBert(sizes) if head == "encoder" else TinyBertClassifier(sizes, num_labels)
