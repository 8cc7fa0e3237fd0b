"""Inception v2 as SSD reads it.

Source: Ioffe and Szegedy, "Batch Normalization" (2015), in the form of research/cv/ssd_inceptionv2
of the MindSpore models repository.
"""

from __future__ import annotations

from itertools import pairwise

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.inception import Branches, ConvBN
from zoohub.networks.layers.norm import BatchNorm2d

# Channels of the branches: 1×1; 1×1 and 3×3; 1×1 and two of 3×3; 1×1 after pooling. A block that
# halves the size has only the middle two, and pools.
_FIRST = (
    (64, (64, 64), (64, 96), 32),
    (64, (64, 96), (64, 96), 64),
    (0, (128, 160), (64, 96), 0),
    (224, (64, 96), (96, 128), 128),
    (192, (96, 128), (96, 128), 128),
)
_SECOND = (
    (160, (128, 160), (128, 160), 96),
    (96, (128, 192), (160, 192), 96),
    (0, (128, 192), (192, 256), 0),
    (352, (192, 320), (160, 224), 128),
    (352, (192, 320), (192, 224), 128),
)

MAPS = (576, 1024, 512, 256, 256, 128)
"""Channels of the six maps."""


class Conv(ConvBN):
    """Convolution, batch norm, ReLU6: (B, in_channels, H, W) -> (B, out_channels, H', W')."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1):
        super().__init__(in_channels, out_channels, kernel, stride, "same")

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu6(self.bn(self.conv(x)))


class PooledConv(Conv):
    """A mean over 3×3 pixels before a 1×1 `Conv`."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels)
        self.pool = nn.AvgPool2d(3, 1, "same")

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu6(self.bn(self.conv(self.pool(x))))


def _mixed(
    width: int, one: int, three: tuple[int, int], double: tuple[int, int], pooled: int
) -> tuple[Branches, int]:
    """A block of Inception, and the channels it gives."""
    halves = one == 0
    stride = 2 if halves else 1
    single = nn.SequentialCell([Conv(width, three[0]), Conv(three[0], three[1], 3, stride)])
    twice = nn.SequentialCell(
        [
            Conv(width, double[0]),
            Conv(double[0], double[1], 3),
            Conv(double[1], double[1], 3, stride),
        ]
    )
    if halves:
        pool = nn.MaxPool2d(3, 2, "same")
        cell = Branches(Branch_0=single, Branch_1=twice, pool=pool)
        return cell, three[1] + double[1] + width
    first, last = Conv(width, one), PooledConv(width, pooled)
    cell = Branches(Branch_0=first, Branch_1=single, Branch_2=twice, Branch_3=last)
    return cell, one + three[1] + double[1] + pooled


class InceptionV2(nn.Cell):
    """-> 1/16 (576) and 1/32 (1024)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.Conv2d_1a_7x7 = Conv(in_channels, 64, 7, 2)
        self.Conv2d_2b_1x1 = Conv(64, 64)
        self.Conv2d_2c_3x3 = Conv(64, 192, 3)
        self.pool = nn.MaxPool2d(3, 2, "same")
        self.middle = len(_FIRST)
        width, blocks = 192, []
        for sizes in (*_FIRST, *_SECOND):
            block, width = _mixed(width, *sizes)
            blocks.append(block)
        self.blocks = nn.CellList(blocks)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.pool(self.Conv2d_1a_7x7(x))
        x = self.pool(self.Conv2d_2c_3x3(self.Conv2d_2b_1x1(x)))
        for block in self.blocks[: self.middle]:
            x = block(x)
        middle = x
        for block in self.blocks[self.middle :]:
            x = block(x)
        return middle, x


class Halving(nn.Cell):
    """A 1×1 convolution to half of `out_channels`, and a 3×3 one of stride 2."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        half = out_channels // 2
        self.conv1x1 = conv2d(in_channels, half, 1)
        self.bn_1x1 = BatchNorm2d(half, 1e-3, 0.9997)
        self.conv = conv2d(half, out_channels, 3, 2, "same")
        self.bn = BatchNorm2d(out_channels, 1e-3, 0.9997)

    def construct(self, x: Tensor) -> Tensor:
        x = ops.relu6(self.bn_1x1(self.conv1x1(x)))
        return ops.relu6(self.bn(self.conv(x)))


def halvings() -> nn.CellList:
    """What makes the four maps after Inception's own."""
    return nn.CellList([Halving(width, channels) for width, channels in pairwise(MAPS[1:])])
