"""Warp-CTC: captchas, read column by column, as the MindSpore models repository publishes it.

Source: official/cv/warpctc of the models repository, whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops


class StackedRNN(nn.Cell):
    """See `warpctc`."""

    def __init__(self, num_classes: int, in_channels: int, height: int, hidden: int) -> None:
        super().__init__()
        self.width = in_channels * height
        self.lstm = nn.LSTM(self.width, hidden, num_layers=2)
        self.fc = nn.Dense(hidden, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        columns = ops.transpose(x, (3, 0, 2, 1))
        columns = ops.reshape(columns, (x.shape[3], -1, self.width))
        states, _ = self.lstm(columns)
        return self.fc(states)


def warpctc(
    num_classes: int = 11, in_channels: int = 3, height: int = 64, hidden: int = 512
) -> StackedRNN:
    """Warp-CTC: float32 (B, in_channels, height, W) -> logits (W, B, num_classes).

    Args:
        num_classes: digits, and the blank of connectionist temporal classification.
        in_channels: channels of the picture.
        height: of the picture.
        hidden: states of each of two LSTMs.
    """
    return StackedRNN(num_classes, in_channels, height, hidden)
