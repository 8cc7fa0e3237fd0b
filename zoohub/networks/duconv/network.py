"""DuConv's retrieval, which says whether a response goes on with a dialogue, given knowledge.

Source: Wu et al., "Proactive Human-Machine Conversation with Explicit Conversation Goals" (2019),
as the models repository has it (official/nlp/duconv). Names of the encoder's parameters are BERT's.
Shapes: B dialogues of N tokens, K tokens of knowledge, C channels, H states.
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Uniform, initializer

from zoohub.networks.bert.network import Bert
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.text_encoder import EncoderSizes


class TurnedGRU(nn.Cell):
    """x (B, K, C) -> the states of both directions (B, K, 2H).

    Gated recurrent units whose weights are (channels, 3H), gates in the order reset, update,
    candidate, as Ascend's DynamicGRUV2 has them.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.width = width
        init = Uniform(width**-0.5)
        shapes = {
            "weight_ih": (channels, 3 * width),
            "weight_hh": (width, 3 * width),
            "bias_ih": (3 * width,),
            "bias_hh": (3 * width,),
        }
        for name, shape in shapes.items():
            for way in ("", "_reverse"):
                setattr(self, name + way, Parameter(initializer(init, shape), name=name + way))

    def construct(self, x: Tensor) -> Tensor:
        x = ops.transpose(x, (1, 0, 2))
        forward = self.run(
            ops.matmul(x, self.weight_ih) + self.bias_ih, self.weight_hh, self.bias_hh
        )
        backward = self.run(
            ops.matmul(ops.flip(x, (0,)), self.weight_ih_reverse) + self.bias_ih_reverse,
            self.weight_hh_reverse,
            self.bias_hh_reverse,
        )
        return ops.transpose(ops.concat((forward, ops.flip(backward, (0,))), 2), (1, 0, 2))

    def run(self, inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """The states (K, B, H) of what comes in at each step (K, B, 3H)."""
        state = ops.zeros((inputs.shape[1], self.width), inputs.dtype)
        states: tuple[Tensor, ...] = ()
        for step in range(inputs.shape[0]):
            own = ops.split(inputs[step], self.width, 1)
            before = ops.split(ops.matmul(state, weight) + bias, self.width, 1)
            reset, update = ops.sigmoid(own[0] + before[0]), ops.sigmoid(own[1] + before[1])
            candidate = ops.tanh(own[2] + reset * before[2])
            state = (1.0 - update) * candidate + update * state
            states += (state,)
        return ops.stack(states)


class Knowledge(nn.Cell):
    """Embedded knowledge (B, K, C) -> what is remembered of it (B, K, C).

    `bridge` is in the files and unused, as the publisher left it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rnn = TurnedGRU(channels, channels // 2)
        self.bridge = dense(channels // 2, channels // 2)

    def construct(self, x: Tensor) -> Tensor:
        return self.rnn(x)


class Attention(nn.Cell):
    """A dialogue (B, C), knowledge (B, K, C) -> both (B, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear_project = nn.SequentialCell(dense(2 * channels, channels), nn.Tanh())

    def construct(self, query: Tensor, memory: Tensor) -> Tensor:
        weights = ops.softmax((memory * ops.expand_dims(query, 1)).sum(2), 1)
        found = (memory * ops.expand_dims(weights, 2)).sum(1)
        return self.linear_project(ops.concat((found, query), 1))


class DuConv(nn.Cell):
    """int32 (B, N) twice, (B, K) -> probabilities (B, 2)."""

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.bert = Bert(sizes)
        self.kn_embeddings = nn.Embedding(sizes.vocab_size, sizes.hidden_size)
        self.memory = Knowledge(sizes.hidden_size)
        self.attention = Attention(sizes.hidden_size)
        self.fc = dense(sizes.hidden_size, 2)
        self.drop = nn.Dropout(p=sizes.dropout)

    def construct(self, input_ids: Tensor, token_type_ids: Tensor, knowledge_ids: Tensor) -> Tensor:
        mask = (input_ids != 0).astype(ms.int32)
        _, pooled, _ = self.bert(input_ids, token_type_ids, mask)
        memory = self.memory(self.kn_embeddings(knowledge_ids))
        return ops.softmax(self.fc(self.drop(self.attention(pooled, memory))), -1)


def duconv(
    vocab_size: int = 14373,
    hidden_size: int = 256,
    num_hidden_layers: int = 4,
    num_attention_heads: int = 8,
    intermediate_size: int = 1024,
    max_position_embeddings: int = 256,
    type_vocab_size: int = 2,
    hidden_act: str = "gelu",
    layer_norm_eps: float = 1e-6,
    dropout: float = 0.0,
) -> DuConv:
    """DuConv's retrieval: int32 `input_ids` and `token_type_ids` (B, N), `knowledge_ids` (B, K) ->
    the probabilities (B, 2), float32, that the response is not, and that it is, the dialogue's.

    The ids are those of the dialogue and the response after it, whose tokens have type 1; 0 is
    padding, of which knowledge is read as the publisher does, like any token. The arguments are
    those of `bert`, with DuConv's sizes; the vocabulary is made of the training data. Each number
    of tokens of knowledge is compiled anew.

    Raises:
        ValueError: no such activation, or heads that do not divide the hidden size.
    """
    return DuConv(
        EncoderSizes(
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
    )
