"""Senta: the large RoBERTa's sizes in BERT's encoder, pretrained on moods (SKEP).

Source: Tian et al., "SKEP: Sentiment Knowledge Enhanced Pre-training for Sentiment Analysis"
(2020), as the models repository publishes it (research/nlp/senta): positions count from the first
row, and the class is told by the pooled state.
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops

from zoohub.networks.bert.network import bert


class HalfDense(nn.Dense):
    """A dense layer that computes in float16, whatever its input and weights are: (B, C) ->
    (B, channels) of the input's type."""

    def construct(self, x: Tensor) -> Tensor:
        weight = ops.transpose(ops.cast(self.weight, ms.float16), (1, 0))
        found = ops.matmul(ops.cast(x, ms.float16), weight) + ops.cast(self.bias, ms.float16)
        return ops.cast(found, x.dtype)


def senta(
    vocab_size: int = 50265,
    hidden_size: int = 1024,
    num_hidden_layers: int = 24,
    num_attention_heads: int = 16,
    intermediate_size: int = 4096,
    max_position_embeddings: int = 514,
    type_vocab_size: int = 1,
    hidden_act: str = "gelu_tanh",
    layer_norm_eps: float = 1e-7,
    head: str = "encoder",
    num_labels: int = 2,
    half_precision: bool = False,
    dropout: float = 0.0,
) -> nn.Cell:
    """Senta: int32 `input_ids`, `token_type_ids` (all 0), `attention_mask`, each (B, N).

    Arguments, outputs and errors are those of `bert`, heads giving logits; the defaults are
    Senta's, but for

    Args:
        half_precision: the classifier of the head "classification" computes in float16, as the
            publisher's does; it shows in the fourth digit, and makes `export(…, check=True)`
            refuse.
    """
    net = bert(
        vocab_size,
        hidden_size,
        num_hidden_layers,
        num_attention_heads,
        intermediate_size,
        max_position_embeddings,
        type_vocab_size,
        hidden_act,
        layer_norm_eps,
        head,
        num_labels,
        log_softmax=False,
        dropout=dropout,
    )
    if half_precision and head == "classification":
        net.dense_1 = HalfDense(hidden_size, num_labels)
    return net
