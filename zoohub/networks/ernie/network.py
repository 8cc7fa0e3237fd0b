"""ERNIE 1.0: BERT's encoder with ReLU, pretrained on whole words and entities.

Source: Sun et al., "ERNIE: Enhanced Representation through Knowledge Integration" (2019). Parameter
names are those of the models repository.
"""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.bert.network import bert
from zoohub.networks.layers.naming import rename_parameters


def ernie(
    vocab_size: int = 18000,
    hidden_size: int = 768,
    num_hidden_layers: int = 12,
    num_attention_heads: int = 12,
    intermediate_size: int = 3072,
    max_position_embeddings: int = 513,
    type_vocab_size: int = 2,
    hidden_act: str = "relu",
    layer_norm_eps: float = 1e-7,
    head: str = "encoder",
    num_labels: int = 2,
    log_softmax: bool = True,
    dropout: float = 0.0,
) -> nn.Cell:
    """ERNIE: int32 `input_ids`, `token_type_ids`, `attention_mask`, each (B, N).

    Arguments, outputs and errors are those of `bert`; the defaults are ERNIE 1.0's.
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
        log_softmax,
        dropout=dropout,
    )
    rename_parameters(net, lambda place: place.replace("bert", "ernie"))
    return net
