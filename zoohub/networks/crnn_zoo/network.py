"""CRNN: a line of text, read column by column, as the MindSpore models repository publishes it.

Source: Shi et al., "An End-to-End Trainable Neural Network for Image-based Sequence Recognition"
(2015). Parameter names are those of official/cv/crnn.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Uniform, initializer

from zoohub.networks.crnn.backbones import CHANNELS, VGG7
from zoohub.networks.crnn_zoo.family import SIDES
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.recurrent import JointLSTM
from zoohub.networks.layers.sized import SizedNetwork

_EPS = 1e-4
_DROPOUT = 0.1


class VGG(VGG7):
    """(B, in_channels, 32, W) -> (B, 512, 1, W / 4 - 1); every convolution normalised.

    Published files have one norm more, which nothing goes through.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels, plain=False)
        self.bn1 = BatchNorm2d(CHANNELS, eps=_EPS)


class CRNN(SizedNetwork):
    """See `crnn_zoo`."""

    def __init__(self, num_classes: int, hidden: int, in_channels: int) -> None:
        super().__init__("crnn_zoo", SIDES)
        init = Uniform(hidden**-0.5)

        def made(name: str, *shape: int) -> Parameter:
            return Parameter(initializer(init, shape), name=name)

        first, second = (CHANNELS + hidden, 4 * hidden), (3 * hidden, 4 * hidden)
        self.w1 = made("w1", *first)
        self.w2 = made("w2", *second)
        self.w1_bw = made("w1_bw", *first)
        self.w2_bw = made("w2_bw", *second)
        self.b1 = made("b1", 4 * hidden)
        self.b2 = made("b2", 4 * hidden)
        self.b1_bw = made("b1_bw", 4 * hidden)
        self.b2_bw = made("b2_bw", 4 * hidden)
        self.fc = nn.Dense(hidden, num_classes)
        self.vgg = VGG(in_channels)
        self.dropout = nn.Dropout(p=_DROPOUT)
        self.first, self.second = JointLSTM(CHANNELS, hidden), JointLSTM(2 * hidden, hidden)
        self.hidden = hidden

    def construct(self, x: Tensor) -> Tensor:
        columns = ops.transpose(ops.squeeze(self.vgg(x), 2), (2, 0, 1))
        # The publisher turns round the pictures of the batch where it means the columns, so both
        # LSTMs of the first layer go forward; of the second it asks one.
        start = ops.zeros((columns.shape[1], self.hidden), columns.dtype)
        forward, _, _ = self.first(columns, self.w1, self.b1, start, start)
        other, _, _ = self.first(columns, self.w1_bw, self.b1_bw, start, start)
        both = self.dropout(ops.concat((forward, other), 2))
        states, _, _ = self.second(both, self.w2, self.b2, start, start)
        return self.fc(states)


def crnn_zoo(num_classes: int = 37, hidden: int = 256, in_channels: int = 3) -> CRNN:
    """CRNN: float32 (B, in_channels, 32, W) -> logits (W / 4 - 1, B, num_classes).

    The publisher's pictures are 32×100 pixels. The last class is the blank of connectionist
    temporal classification.

    Args:
        num_classes: characters, and the blank.
        hidden: states of each LSTM.
        in_channels: channels of the picture.
    """
    return CRNN(num_classes, hidden, in_channels)
