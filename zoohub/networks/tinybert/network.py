"""TinyBERT: a BERT of a few narrow blocks, taught by what a large one computes inside.

Source: Jiao et al., "TinyBERT: Distilling BERT for Natural Language Understanding" (2020).
Parameter names are those of the models repository. Shapes: B texts, N tokens, C channels, H heads.
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


class TinyBert(nn.Cell):
    """int32 (B, N) three times -> what a pupil is compared by.

    States (B, N, C), pooled (B, C), the table of words, then the states before and after each
    block (B·N, C), and the scores of each block's attention (B, H, N, N).
    """

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
    """int32 (B, N) three times -> logits (B, num_labels)."""

    def __init__(self, bert: TinyBert, num_labels: int) -> None:
        super().__init__()
        self.bert = bert
        self.dense = dense(bert.hidden_size, num_labels)

    def construct(
        self, input_ids: Tensor, token_type_ids: Tensor, attention_mask: Tensor
    ) -> Tensor:
        return self.dense(ops.relu(self.bert(input_ids, token_type_ids, attention_mask)[1]))
