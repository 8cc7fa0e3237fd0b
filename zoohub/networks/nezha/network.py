"""NEZHA: a BERT that knows the distance between tokens instead of their positions.

Source: Wei et al., "NEZHA: Neural Contextualized Representation for Chinese Language
Understanding" (2019), as MindNLP publishes it: the distances' embeddings are sinusoids. Parameter
names are BERT's.
"""

from __future__ import annotations

from functools import partial

from mindspore import nn

from zoohub.networks.bert.network import Bert, BertPretraining, with_head
from zoohub.networks.layers.distances import FixedDistances
from zoohub.networks.layers.text_encoder import EncoderSizes


def nezha(
    vocab_size: int = 21128,
    hidden_size: int = 768,
    num_hidden_layers: int = 12,
    num_attention_heads: int = 12,
    intermediate_size: int = 3072,
    max_position_embeddings: int = 512,
    type_vocab_size: int = 2,
    hidden_act: str = "gelu",
    layer_norm_eps: float = 1e-12,
    max_relative_position: int = 64,
    head: str = "pretraining",
    num_labels: int = 2,
    log_softmax: bool = False,
    dropout: float = 0.0,
) -> nn.Cell:
    """NEZHA: int32 `input_ids`, `token_type_ids`, `attention_mask`, each (B, N).

    Arguments, outputs and errors are those of `bert`, with NEZHA's sizes, but for

    Args:
        max_position_embeddings: tokens of the longest text: each block has a constant
            (max_position_embeddings, max_position_embeddings, hidden_size / heads).
        max_relative_position: distances beyond it are as it.
        log_softmax: heads give log-probabilities, not logits.
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
    width = hidden_size // num_attention_heads
    distances = partial(FixedDistances, max_relative_position, width, max_position_embeddings)
    net = Bert(sizes, "absent", distances)
    if head == "pretraining":
        return BertPretraining(net, sizes, log_softmax, own_table=True)
    return with_head(net, sizes, head, num_labels, log_softmax)
