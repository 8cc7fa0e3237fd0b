"""EfficientDet's pyramid, in which each map is a weighted sum of its neighbours, down and up.

Source: Tan et al., "EfficientDet: Scalable and Efficient Object Detection" (2019), in the form of
the MindSpore models repository (research/cv/EfficientDet_d0), whose parameter names these are.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.corner_resize import RepeatPixels
from zoohub.networks.layers.norm import BatchNorm2d

EPS, MOMENTUM = 1e-3, 0.99
_LEAST = 1e-4  # keeps the weights' sum from 0


class SeparableConv(nn.Cell):
    """3×3 over each channel by itself, 1×1 over all, and unless told otherwise a batch norm."""

    def __init__(self, in_channels: int, out_channels: int, norm: bool = True) -> None:
        super().__init__()
        self.depthwise_conv = conv2d(in_channels, in_channels, 3, groups=in_channels)
        self.pointwise_conv = conv2d(in_channels, out_channels, 1, bias=True)
        self.bn = BatchNorm2d(out_channels, EPS, MOMENTUM) if norm else None

    def construct(self, x: Tensor) -> Tensor:
        x = self.pointwise_conv(self.depthwise_conv(x))
        return x if self.bn is None else self.bn(x)


def narrow(in_channels: int, channels: int) -> nn.SequentialCell:
    """1×1 convolution and batch norm."""
    conv = conv2d(in_channels, channels, 1, bias=True)
    return nn.SequentialCell([conv, BatchNorm2d(channels, EPS, MOMENTUM)])


class BiFPN(nn.Cell):
    """Five maps from 1/8 to 1/128 of `channels` -> the same, having seen each other.

    With `widths` it takes the backbone's maps at 1/8, 1/16 and 1/32 of as many channels.
    """

    def __init__(self, channels: int, widths: Sequence[int] = ()) -> None:
        super().__init__()

        def weights(name: str, count: int) -> Parameter:
            return Parameter(initializer("ones", (count,)), name=name)

        self.p6_w1, self.p5_w1 = weights("p6_w1", 2), weights("p5_w1", 2)
        self.p4_w1, self.p3_w1 = weights("p4_w1", 2), weights("p3_w1", 2)
        self.p4_w2, self.p5_w2 = weights("p4_w2", 3), weights("p5_w2", 3)
        self.p6_w2, self.p7_w2 = weights("p6_w2", 3), weights("p7_w2", 2)
        self.grown = RepeatPixels()
        self.conv6_up = SeparableConv(channels, channels)
        self.conv5_up = SeparableConv(channels, channels)
        self.conv4_up = SeparableConv(channels, channels)
        self.conv3_up = SeparableConv(channels, channels)
        self.conv4_down = SeparableConv(channels, channels)
        self.conv5_down = SeparableConv(channels, channels)
        self.conv6_down = SeparableConv(channels, channels)
        self.conv7_down = SeparableConv(channels, channels)
        self.first = bool(widths)
        if widths:
            fine, middle, coarse = widths
            self.p5_down_channel = narrow(coarse, channels)
            self.p4_down_channel = narrow(middle, channels)
            self.p3_down_channel = narrow(fine, channels)
            self.p5_to_p6 = narrow(coarse, channels)
            self.p4_down_channel_2 = narrow(middle, channels)
            self.p5_down_channel_2 = narrow(coarse, channels)
        self.halve = nn.MaxPool2d(3, 2, pad_mode="same")
        self.act = nn.SiLU()

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if self.first:
            fine, middle, coarse = maps
            p3, p4, p5 = (
                self.p3_down_channel(fine),
                self.p4_down_channel(middle),
                self.p5_down_channel(coarse),
            )
            p4_again, p5_again = self.p4_down_channel_2(middle), self.p5_down_channel_2(coarse)
            p6 = self.halve(self.p5_to_p6(coarse))
            p7 = self.halve(p6)
        else:
            p3, p4, p5, p6, p7 = maps
            p4_again, p5_again = p4, p5
        down6 = self.conv6_up(self.two(self.p6_w1, p6, self.grown(p7, p6)))
        down5 = self.conv5_up(self.two(self.p5_w1, p5, self.grown(down6, p5)))
        down4 = self.conv4_up(self.two(self.p4_w1, p4, self.grown(down5, p4)))
        out3 = self.conv3_up(self.two(self.p3_w1, p3, self.grown(down4, p3)))
        out4 = self.conv4_down(self.three(self.p4_w2, p4_again, down4, self.halve(out3)))
        out5 = self.conv5_down(self.three(self.p5_w2, p5_again, down5, self.halve(out4)))
        out6 = self.conv6_down(self.three(self.p6_w2, p6, down6, self.halve(out5)))
        out7 = self.conv7_down(self.two(self.p7_w2, p7, self.halve(out6)))
        return out3, out4, out5, out6, out7

    def two(self, weights: Tensor, one: Tensor, other: Tensor) -> Tensor:
        """SiLU of a sum by positive weights that add up to 1."""
        w = self.shares(weights)
        return self.act(w[0] * one + w[1] * other)

    def three(self, weights: Tensor, one: Tensor, second: Tensor, third: Tensor) -> Tensor:
        """The same of three."""
        w = self.shares(weights)
        return self.act(w[0] * one + w[1] * second + w[2] * third)

    def shares(self, weights: Tensor) -> Tensor:
        """What each counts for."""
        positive = ops.relu(weights)
        return positive / (ops.sum(positive) + _LEAST)
