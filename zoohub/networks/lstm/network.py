"""A bidirectional LSTM that classifies reviews.

Source: Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997). Parameter names are those of
the models repository (official/nlp/lstm). Shapes: L words, B texts.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Uniform, initializer

from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.recurrent import JointLSTM


class JointLayer(nn.Cell):
    """x (L, B, channels) -> the states of both directions (L, B, 2 * hidden)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        init = Uniform(hidden**-0.5)
        weight, bias = (channels + hidden, 4 * hidden), (4 * hidden,)
        self.w_fw = Parameter(initializer(init, weight))
        self.w_bw = Parameter(initializer(init, weight))
        self.b_fw = Parameter(initializer(init, bias))
        self.b_bw = Parameter(initializer(init, bias))
        self.lstm = JointLSTM(channels, hidden)

    def construct(self, x: Tensor) -> Tensor:
        start = ops.zeros((x.shape[1], self.hidden), x.dtype)
        forward, _, _ = self.lstm(x, self.w_fw, self.b_fw, start, start)
        backward, _, _ = self.lstm(ops.flip(x, (0,)), self.w_bw, self.b_bw, start, start)
        return ops.concat((forward, ops.flip(backward, (0,))), 2)


class JointEncoder(nn.Cell):
    """`nn.LSTM` in both directions, its weights as Ascend's DynamicRNN has them; it gives no last
    state."""

    def __init__(self, embed_dim: int, hidden: int, layers: int) -> None:
        super().__init__()
        channels = (embed_dim, *(2 * hidden for _ in range(layers - 1)))
        self.layers = nn.CellList([JointLayer(width, hidden) for width in channels])

    def construct(self, x: Tensor) -> tuple[Tensor, None]:
        for layer in self.layers:
            x = layer(x)
        return x, None


class LSTMClassifier(nn.Cell):
    """ids int32 (B, L) -> logits (B, num_classes). Arguments are those of `lstm`."""

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        hidden: int,
        layers: int,
        num_classes: int,
        joint: bool,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.embedding.embedding_table.requires_grad = False
        if joint:
            self.encoder = JointEncoder(embed_dim, hidden, layers)
        else:
            self.encoder = nn.LSTM(embed_dim, hidden, num_layers=layers, bidirectional=True)
        self.decoder = nn.Dense(4 * hidden, num_classes)

    def construct(self, ids: Tensor) -> Tensor:
        states, _ = self.encoder(ops.transpose(self.embedding(ids), (1, 0, 2)))
        return self.decoder(ops.concat((states[0], states[-1]), 1))


def lstm(
    vocab_size: int = 2000,
    embed_dim: int = 300,
    hidden: int = 100,
    layers: int = 2,
    num_classes: int = 2,
    joint: bool = False,
) -> LSTMClassifier:
    """Bidirectional LSTM: ids int32 (B, L) -> logits (B, num_classes).

    The classifier sees the states at the first and the last word.

    Args:
        vocab_size: words; the training data makes the vocabulary.
        embed_dim: channels of a word; the embedding is not trained.
        hidden: states of each direction: 100, or 128 of what Ascend trained.
        layers: LSTMs, each over the one before.
        num_classes: outputs of the classifier.
        joint: each layer's weights are (channels + hidden, 4 * hidden) with one bias, gates in the
            order input, candidate, forget, output, as Ascend's files had them before MindSpore 1.8.
    """
    net = LSTMClassifier(vocab_size, embed_dim, hidden, layers, num_classes, joint)
    name_parameters(net, ((r"(.+)\.layers\.(\d+)\.(\w+)", r"\1.\3_layer\2"),))
    return net
