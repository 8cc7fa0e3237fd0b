"""The wide residual network that AutoAugment trained on CIFAR-10.

Sources: Zagoruyko & Komodakis, "Wide Residual Networks" (2016); Cubuk et al., "AutoAugment" (2019).
Shortcuts have no weights: they average over pixels and fill up channels with zeros, around blocks,
groups of blocks and the whole. Parameter names are those of the models repository's
research/cv/autoaugment.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

_BLOCKS = 4  # in each group


class Shortcut(nn.Cell):
    """(B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride) without weights."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(stride, stride) if stride > 1 else None
        missing = out_channels - in_channels
        before = missing // 2
        sides = ((0, 0), (before, missing - before), (0, 0), (0, 0))
        self.pad = nn.Pad(sides) if missing else None

    def construct(self, x: Tensor) -> Tensor:
        if self.pool is not None:
            x = self.pool(x)
        return x if self.pad is None else self.pad(x)


class ResidualBlock(nn.Cell):
    """Twice batch norm, ReLU, 3×3 convolution, and the shortcut.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride). `early`: the shortcut
    starts behind the first norm and ReLU.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, early: bool = False
    ) -> None:
        super().__init__()
        self.bn1 = BatchNorm2d(in_channels)
        self.conv1 = conv2d(in_channels, out_channels, 3, stride, "same")
        self.bn2 = BatchNorm2d(out_channels)
        self.conv2 = conv2d(out_channels, out_channels, 3)
        self.shortcut = Shortcut(in_channels, out_channels, stride)
        self.early = early

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(x))
        kept = y if self.early else x
        y = self.conv2(ops.relu(self.bn2(self.conv1(y))))
        return y + self.shortcut(kept)


class ResidualGroup(nn.Cell):
    """Four blocks, the first with the stride, and a shortcut around them."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, early: bool) -> None:
        super().__init__()
        self.rb = ResidualBlock(in_channels, out_channels, stride, early)
        self.rbs = nn.SequentialCell(
            [ResidualBlock(out_channels, out_channels) for _ in range(_BLOCKS - 1)]
        )
        self.shortcut = Shortcut(in_channels, out_channels, stride)

    def construct(self, x: Tensor) -> Tensor:
        return self.rbs(self.rb(x)) + self.shortcut(x)


class WideResNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes); made for pictures of 32 pixels."""

    def __init__(self, width: int, num_classes: int, in_channels: int) -> None:
        super().__init__()
        stem = min(width, 16)
        self.conv1 = conv2d(in_channels, stem, 3)
        self.rg1 = ResidualGroup(stem, width, 1, early=True)
        self.rg2 = ResidualGroup(width, 2 * width, 2, early=False)
        self.rg3 = ResidualGroup(2 * width, 4 * width, 2, early=False)
        self.shortcut = Shortcut(stem, 4 * width, 4)
        self.bn = BatchNorm2d(4 * width)
        self.pool = GlobalAvgPool()
        self.fc = nn.Dense(4 * width, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        stem = self.conv1(x)
        x = self.rg3(self.rg2(self.rg1(stem))) + self.shortcut(stem)
        return self.fc(self.pool(ops.relu(self.bn(x))))


def autoaugment(width: int = 160, num_classes: int = 10, in_channels: int = 3) -> WideResNet:
    """AutoAugment's network: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        width: channels of the first group; the next have twice and four times as many.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
    """
    return WideResNet(width, num_classes, in_channels)
