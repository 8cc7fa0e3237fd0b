"""CTPN: lines of text as rows of narrow boxes, as the MindSpore models repository publishes it.

Source: Tian et al., "Detecting Text in Natural Image with Connectionist Text Proposal Network"
(2016), in the form of the models repository (official/cv/ctpn).
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Uniform, initializer

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.recurrent import JointLSTM
from zoohub.networks.vgg.network import vgg

_CHANNELS = 512
_HIDDEN = 128
_HEIGHTS = 14  # of the boxes in a column of 16 pixels
_FROZEN = 4  # convolutions


class BidirectionalLSTM(nn.Cell):
    """x (L, B, channels) -> the states of both directions (L, B, 2·hidden).

    Each direction has one weight for the input and the state before, as Ascend's DynamicRNN.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        init, shape = Uniform(hidden**-0.5), (channels + hidden, 4 * hidden)
        self.w1 = Parameter(initializer(init, shape), name="w1")
        self.w1_bw = Parameter(initializer(init, shape), name="w1_bw")
        self.b1 = Parameter(initializer(init, shape[1:]), name="b1")
        self.b1_bw = Parameter(initializer(init, shape[1:]), name="b1_bw")
        self.lstm = JointLSTM(channels, hidden)
        self.hidden = hidden

    def construct(self, x: Tensor) -> Tensor:
        start = ops.zeros((x.shape[1], self.hidden), x.dtype)
        forward, _, _ = self.lstm(x, self.w1, self.b1, start, start)
        backward, _, _ = self.lstm(ops.flip(x, (0,)), self.w1_bw, self.b1_bw, start, start)
        return ops.concat((forward, ops.flip(backward, (0,))), 2)


class ColumnHead(nn.Cell):
    """States (W, B·H, 256) of H rows -> logits (B, 28, H, W) and offsets (B, 56, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm_fc = nn.Dense(2 * _HIDDEN, _CHANNELS)
        self.rpn_cls = nn.Dense(_CHANNELS, 2 * _HEIGHTS)
        self.rpn_reg = nn.Dense(_CHANNELS, 4 * _HEIGHTS)

    def construct(self, states: Tensor, rows: int) -> tuple[Tensor, Tensor]:
        columns = states.shape[0]
        x = self.lstm_fc(ops.reshape(states, (columns, -1, rows, 2 * _HIDDEN)))
        return (
            ops.transpose(self.rpn_cls(x), (1, 3, 2, 0)),
            ops.transpose(self.rpn_reg(x), (1, 3, 2, 0)),
        )


class CTPN(nn.Cell):
    """See `ctpn`."""

    def __init__(self, in_channels: int, ascend: bool) -> None:
        super().__init__()
        layers = list(vgg(16, True, in_channels=in_channels, features_only=True).features.cell_list)
        # The last pooling is left out: a column has 16 pixels.
        self.features = nn.SequentialCell(layers[:-1])
        convs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
        for conv in convs[:_FROZEN]:
            conv.weight.requires_grad = False
        self.conv = conv2d(_CHANNELS, _CHANNELS, 3)
        # Files hold both; which was trained is the device's choice.
        self.rnn = BidirectionalLSTM(_CHANNELS, _HIDDEN)
        self.rnn2 = nn.LSTM(_CHANNELS, _HIDDEN, bidirectional=True)
        self.head = ColumnHead()
        self.ascend = ascend

    def construct(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv(self.features(image))
        _, channels, rows, columns = x.shape
        x = ops.reshape(ops.transpose(x, (3, 0, 2, 1)), (columns, -1, channels))
        states = self.rnn(x) if self.ascend else self.rnn2(x)[0]
        return self.head(states, rows)


def ctpn(in_channels: int = 3, ascend: bool = True) -> CTPN:
    """CTPN: float32 (B, in_channels, H, W), trained on 576×960 -> what is said of narrow boxes.

    Returns logits (B, 28, H/16, W/16), no text and text of each of 14 boxes by turns, and their
    offsets (B, 56, H/16, W/16): `zoohub.tasks.text_detection.columns` makes lines of text of them.

    Args:
        in_channels: channels of the picture.
        ascend: the recurrent layer is the one that Ascend trains, as in the published files; False:
            that of other devices, which files hold beside it.
    """
    return CTPN(in_channels, ascend)
