"""What the models repository's YOLOs have in common: blocks before an output, boxes as fractions.

Parameter names are those of its checkpoints (official/cv/yolov3_darknet53, official/cv/yolov4,
official/cv/yolov5).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.anchor_head import split_anchors
from zoohub.networks.layers.conv import Activation, conv_norm
from zoohub.networks.layers.exponential_boxes import ExponentialBoxes
from zoohub.outputs.box_decoding import BoxDecoding, Level

PER_CELL = 3
leaky_relu = partial(nn.LeakyReLU, 0.1)


def same_conv(
    in_channels: int,
    out_channels: int,
    kernel: int = 1,
    stride: int = 1,
    act: Activation = leaky_relu,
) -> nn.SequentialCell:
    """Convolution padded as TensorFlow does, batch norm, activation."""
    return nn.SequentialCell(conv_norm(in_channels, out_channels, kernel, stride, "same", act=act))


def output_conv(in_channels: int, num_classes: int) -> nn.Conv2d:
    """(B, C, H, W) -> (B, 3 (5 + classes), H, W)."""
    return nn.Conv2d(in_channels, PER_CELL * (5 + num_classes), 1, has_bias=True)


class OutputBlock(nn.Cell):
    """Six convolutions, 1×1 and 3×3 by turns, and the output behind them.

    (B, in_channels, H, W) -> (B, channels, H, W), what the fifth gives and the next level reads,
    and (B, 3 (5 + classes), H, W).
    """

    def __init__(self, in_channels: int, channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv0 = same_conv(in_channels, channels)
        self.conv1 = same_conv(channels, 2 * channels, 3)
        self.conv2 = same_conv(2 * channels, channels)
        self.conv3 = same_conv(channels, 2 * channels, 3)
        self.conv4 = same_conv(2 * channels, channels)
        self.conv5 = same_conv(channels, 2 * channels, 3)
        self.conv6 = output_conv(2 * channels, num_classes)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv4(self.conv3(self.conv2(self.conv1(self.conv0(x)))))
        return x, self.conv6(self.conv5(x))


class FractionDetector(nn.Cell):
    """A network of raw outputs, and boxes from them.

    What the feature map takes -> one map (B, H / stride, W / stride, 3, 5 + classes) for each of
    `levels`, in their order. In evaluation mode a box's centre x, centre y, width and height as
    fractions of the input's width and height, objectness and class scores; in training mode, or
    with `decode` False, the same before decoding. What is trained anew starts at the feature map's
    `output_convs()`, the last convolution of each level.
    """

    def __init__(self, feature_map: nn.Cell, levels: Sequence[Level], decode: bool) -> None:
        super().__init__()
        self.feature_map = feature_map
        self.levels = tuple(levels)
        self.decodes = decode
        self.boxes = nn.CellList([ExponentialBoxes(level, fractions=True) for level in levels])

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        outputs = self.feature_map(x)
        maps: tuple[Tensor, ...] = ()
        for index, boxes in enumerate(self.boxes):
            raw = ops.transpose(split_anchors(outputs[index], PER_CELL), (0, 2, 3, 1, 4))
            maps = (*maps, boxes(raw) if self.decodes and not self.training else raw)
        return maps

    def box_decoding(self) -> BoxDecoding:
        """How the raw maps become boxes."""
        return BoxDecoding(self.levels, "exponential", anchor_axis=3)
