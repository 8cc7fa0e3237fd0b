"""The reader by attention that guides SVTR-LCNet's training at its publisher's.

Source: Li et al., "Show, Attend and Read" (2019). Parameter names are those of MindOCR.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

_HIDDEN = 512


class Holistic(nn.Cell):
    """What an LSTM makes of the columns in the end: (B, C, 1, W) -> (B, hidden)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.rnn_encoder = nn.LSTM(channels, hidden, num_layers=2, batch_first=True)
        self.linear = nn.Dense(hidden, hidden)

    def construct(self, maps: Tensor) -> Tensor:
        columns, _ = self.rnn_encoder(ops.transpose(ops.squeeze(maps, 2), (0, 2, 1)))
        return self.linear(columns[:, -1])


class Reader(nn.Cell):
    """(B, C, 1, W), the whole line (B, hidden) and the characters so far (B, T) -> logits
    (B, T, num_classes - 1) of the next ones."""

    def __init__(self, channels: int, hidden: int, num_classes: int) -> None:
        super().__init__()
        self.conv1x1_1 = nn.Dense(hidden, hidden)
        self.conv3x3_1 = nn.Conv2d(channels, hidden, 3, pad_mode="pad", padding=1, has_bias=True)
        self.conv1x1_2 = nn.Dense(hidden, 1)
        self.rnn_decoder = nn.LSTM(hidden, hidden, num_layers=2, batch_first=True)
        self.embedding = nn.Embedding(num_classes, hidden)
        self.prediction = nn.Dense(2 * hidden + channels, num_classes - 1)

    def construct(self, maps: Tensor, line: Tensor, characters: Tensor) -> Tensor:
        first = ops.expand_dims(line, 1)
        states, _ = self.rnn_decoder(ops.concat((first, self.embedding(characters)), 1))
        columns = ops.transpose(ops.squeeze(maps, 2), (0, 2, 1))
        keys = ops.transpose(ops.squeeze(self.conv3x3_1(maps), 2), (0, 2, 1))
        looked = ops.tanh(ops.expand_dims(self.conv1x1_1(states), 2) + ops.expand_dims(keys, 1))
        weights = ops.softmax(ops.squeeze(self.conv1x1_2(looked), -1), -1)
        whole = ops.broadcast_to(first, states.shape)
        seen = (states, ops.matmul(weights, columns), whole)
        return self.prediction(ops.concat(seen, 2))[:, 1:]


class Guide(nn.Cell):
    """(B, C, 1, W) and the characters so far (B, T) -> logits (B, T, num_classes - 1)."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.encoder = Holistic(channels, _HIDDEN)
        self.decoder = Reader(channels, _HIDDEN, num_classes)

    def construct(self, maps: Tensor, characters: Tensor) -> Tensor:
        return self.decoder(maps, self.encoder(maps), characters)
