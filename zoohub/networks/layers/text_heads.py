"""What stands on a text encoder: the words behind masks, the class of a text or of a token.

Shapes: B texts, N tokens, C channels, V words.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer

from zoohub.networks.layers.activations import activation
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.text_encoder import EncoderSizes

HEADS = (
    "encoder",
    "pretraining",
    "classification",
    "tagging",
    "chain-tagging",
    "recurrent-chain-tagging",
    "question-answering",
)


class MaskedWords(nn.Cell):
    """States (…, C), the table of words (V, C) -> logits of the words (…, V).

    With `own_table` the last layer has a table of its own, and the bias stays unused, as MindNLP's
    NEZHA has it. `hidden_act` is the activation where it is not that of the blocks.
    """

    def __init__(
        self, sizes: EncoderSizes, own_table: bool = False, hidden_act: str | None = None
    ) -> None:
        super().__init__()
        self.own_table = own_table
        self.output_bias = Parameter(initializer("zeros", (sizes.vocab_size,)))
        self.dense = dense(sizes.hidden_size, sizes.hidden_size)
        self.activation = activation(hidden_act or sizes.hidden_act)
        self.layernorm = layer_norm(sizes.hidden_size, sizes.layer_norm_eps)
        if own_table:
            self.decoder = dense(sizes.hidden_size, sizes.vocab_size, bias=False)

    def construct(self, states: Tensor, table: Tensor) -> Tensor:
        states = self.layernorm(self.activation(self.dense(states)))
        if self.own_table:
            return self.decoder(states)
        return ops.matmul(states, ops.transpose(table, (1, 0))) + self.output_bias


class NextSentence(nn.Cell):
    """Pooled states (B, C) -> logits (B, 2): whether the second text follows the first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dense = dense(channels, 2)

    def construct(self, pooled: Tensor) -> Tensor:
        return self.dense(pooled)


def states_at(states: Tensor, positions: Tensor) -> Tensor:
    """The states (B, N, C) at P positions of each text (B, P), one after another: (B·P, C)."""
    chosen = ops.gather_elements(
        states,
        1,
        ops.broadcast_to(ops.expand_dims(positions, -1), (*positions.shape, states.shape[-1])),
    )
    return ops.reshape(chosen, (-1, states.shape[-1]))


def check_head(head: str) -> None:
    """Whether there is such a head.

    Raises:
        ValueError: there is not.
    """
    if head not in HEADS:
        raise ValueError(f"a head is {', '.join(HEADS)}, not {head!r}")
