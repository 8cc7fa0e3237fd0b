"""RoBERTa: a BERT trained longer, without kinds of tokens, whose positions begin behind padding.

Source: Liu et al., "RoBERTa: A Robustly Optimized BERT Pretraining Approach" (2019), as MindNLP
publishes it. Names of the encoder's parameters are BERT's. Shapes: B texts, N tokens, C channels,
V words.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.text_encoder import (
    EmbeddingPostprocessor,
    Encoder,
    EncoderLayer,
    EncoderSizes,
    embedding,
    padding_bias,
)
from zoohub.networks.layers.text_heads import MaskedWords

HEADS = ("encoder", "fill-mask", "classification")


class Roberta(nn.Cell):
    """int32 (B, N) twice -> states (B, N, C), pooled (B, C), table of words (V, C).

    Without `pools` it gives states and table.
    """

    gives = ("states", "pooled", "table")

    def __init__(self, sizes: EncoderSizes, pad_token_id: int, pools: bool = True) -> None:
        super().__init__()
        self.pools = pools
        self.bert_embedding_lookup = embedding(sizes.vocab_size, sizes.hidden_size)
        self.bert_embedding_postprocessor = EmbeddingPostprocessor(sizes, first=pad_token_id + 1)
        self.bert_encoder = Encoder([EncoderLayer(sizes) for _ in range(sizes.num_hidden_layers)])
        if pools:
            self.dense = dense(sizes.hidden_size, sizes.hidden_size)

    def construct(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        words = self.bert_embedding_lookup(input_ids)
        x = self.bert_embedding_postprocessor(words, ops.zeros_like(input_ids))
        x = self.bert_encoder(x, padding_bias(attention_mask))
        table = self.bert_embedding_lookup.embedding_table
        return (x, ops.tanh(self.dense(x[:, 0])), table) if self.pools else (x, table)


class RobertaWords(nn.Cell):
    """int32 (B, N) twice -> logits of every token's words (B, N, V)."""

    gives = ("words",)

    def __init__(self, roberta: Roberta, sizes: EncoderSizes) -> None:
        super().__init__()
        self.bert = roberta
        self.cls1 = MaskedWords(sizes, hidden_act="gelu_tanh")

    def construct(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states, _, table = self.bert(input_ids, attention_mask)
        return self.cls1(states, table)


class RobertaClassifier(nn.Cell):
    """int32 (B, N) twice -> logits of a text's classes (B, num_labels).

    They are of the first token's state, not of the pooled one.
    """

    gives = ("classes",)

    def __init__(self, roberta: Roberta, channels: int, num_labels: int) -> None:
        super().__init__()
        self.bert = roberta
        self.dense_0 = dense(channels, channels)
        self.dense_1 = dense(channels, num_labels)

    def construct(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states, _ = self.bert(input_ids, attention_mask)
        return self.dense_1(ops.tanh(self.dense_0(states[:, 0])))


def roberta(
    vocab_size: int = 50265,
    hidden_size: int = 768,
    num_hidden_layers: int = 12,
    num_attention_heads: int = 12,
    intermediate_size: int = 3072,
    max_position_embeddings: int = 514,
    type_vocab_size: int = 1,
    hidden_act: str = "gelu",
    layer_norm_eps: float = 1e-5,
    block_norm_eps: float = 1e-12,
    pad_token_id: int = 1,
    head: str = "encoder",
    num_labels: int = 2,
    dropout: float = 0.0,
) -> nn.Cell:
    """RoBERTa: int32 `input_ids` and `attention_mask`, each (B, N).

    The arguments are those of `bert`, with RoBERTa's sizes, but for

    Args:
        max_position_embeddings: tokens of the longest text and `pad_token_id` + 1 more.
        block_norm_eps: epsilon of the blocks' layer norms: MindNLP's is not that of the others.
        pad_token_id: the word of padding; positions count from the row after its.
        head: "encoder": states (B, N, C), pooled (B, C) and the table of words; "fill-mask":
            logits (B, N, V); "classification": logits (B, num_labels).

    Raises:
        ValueError: another head, no such activation, or heads that do not divide the hidden size.
    """
    if head not in HEADS:
        raise ValueError(f"a head of RoBERTa is {', '.join(HEADS)}, not {head!r}")
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
        block_norm_eps,
    )
    net = Roberta(sizes, pad_token_id, pools=head != "classification")
    if head == "fill-mask":
        return RobertaWords(net, sizes)
    return RobertaClassifier(net, hidden_size, num_labels) if head == "classification" else net
