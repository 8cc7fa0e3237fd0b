"""What MindOCR's readers of text lines see: -> (B, 512, 1, W / 4), a column for each step.

`width` makes all of a backbone's channels so many times as many."""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

CHANNELS = 512
_BLOCKS = (3, 4, 6, 3)
_WIDTHS = (64, 128, 256, 512)


def scaled(channels: int, width: float) -> int:
    """`width` times as many channels, at least one."""
    return max(1, round(channels * width))


class Conv(nn.Cell):
    """A convolution, with bias unless said otherwise, batch norm where `norm` says so, ReLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        norm: bool,
        kernel: int = 3,
        padding: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, padding=padding, bias=bias)
        self.bn = BatchNorm2d(out_channels, eps=1e-4) if norm else None

    def construct(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return ops.relu(x if self.bn is None else self.bn(x))


class VGG7(nn.Cell):
    """Seven convolutions: (B, in_channels, 32, W) -> (B, 512, 1, W / 4 - 1).

    Source: Shi et al., "An End-to-End Trainable Neural Network for Image-based Sequence
    Recognition" (2015): `plain`, with biases, and batch norms behind three of them. Otherwise
    without biases, and batch norms behind all.
    """

    def __init__(self, in_channels: int, width: float = 1.0, plain: bool = True) -> None:
        super().__init__()
        first, second, third, last = (scaled(channels, width) for channels in _WIDTHS)
        normed = not plain
        self.conv1 = Conv(in_channels, first, norm=normed, bias=plain)
        self.conv2 = Conv(first, second, norm=normed, bias=plain)
        self.conv3 = Conv(second, third, norm=True, bias=plain)
        self.conv4 = Conv(third, third, norm=normed, bias=plain)
        self.conv5 = Conv(third, last, norm=True, bias=plain)
        self.conv6 = Conv(last, last, norm=normed, bias=plain)
        self.conv7 = Conv(last, last, norm=True, kernel=2, padding=0, bias=plain)
        self.halve = nn.MaxPool2d(2, 2, "same")
        self.flatten = nn.MaxPool2d((2, 1), (2, 1), "same")

    def construct(self, x: Tensor) -> Tensor:
        x = self.halve(self.conv2(self.halve(self.conv1(x))))
        x = self.flatten(self.conv4(self.conv3(x)))
        x = self.flatten(self.conv6(self.conv5(x)))
        return self.conv7(x)


class ConvNorm(nn.Cell):
    """Convolution and batch norm."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride)
        self.norm = BatchNorm2d(out_channels)

    def construct(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Shortcut(nn.Cell):
    """The input brought to a block's shape: pooled by `stride`, a 1×1 convolution, batch norm."""

    def __init__(self, in_channels: int, out_channels: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(stride, stride, "same")
        self.conv = conv2d(in_channels, out_channels, 1)
        self.norm = BatchNorm2d(out_channels)

    def construct(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(self.pool(x)))


class Block(nn.Cell):
    """Two 3×3 convolutions: (B, in_channels, H, W) -> (B, channels, H / stride, W / stride)."""

    def __init__(
        self, in_channels: int, channels: int, stride: tuple[int, int], fitted: bool
    ) -> None:
        super().__init__()
        self.conv0 = ConvNorm(in_channels, channels, 3, stride)
        self.conv1 = ConvNorm(channels, channels, 3)
        self.short = Shortcut(in_channels, channels, stride) if fitted else None

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv1(ops.relu(self.conv0(x)))
        return ops.relu(y + (x if self.short is None else self.short(x)))


class ResNet34(nn.Cell):
    """ResNet-34 that halves the height alone after its stem: (B, in_channels, 32, W) ->
    (B, 512, 1, W / 4).

    Source: PP-OCR's, after He et al., "Bag of Tricks" (2018), whose shortcuts pool.
    """

    def __init__(self, in_channels: int, width: float = 1.0) -> None:
        super().__init__()
        stem, widths = scaled(32, width), [scaled(channels, width) for channels in _WIDTHS]
        self.conv1_1 = ConvNorm(in_channels, stem, 3)
        self.conv1_2 = ConvNorm(stem, stem, 3)
        self.conv1_3 = ConvNorm(stem, widths[0], 3)
        self.pool = nn.MaxPool2d(3, 2, "same")
        last, blocks = widths[0], []
        for stage, (count, channels) in enumerate(zip(_BLOCKS, widths, strict=True)):
            for index in range(count):
                first = index == 0
                stride = (2, 1) if first and stage > 0 else (1, 1)
                blocks.append(Block(last, channels, stride, fitted=first))
                last = channels
        self.block_list = nn.SequentialCell(blocks)
        self.last_pool = nn.MaxPool2d(2, 2, "same")

    def construct(self, x: Tensor) -> Tensor:
        x = ops.relu(self.conv1_2(ops.relu(self.conv1_1(x))))
        x = self.pool(ops.relu(self.conv1_3(x)))
        return self.last_pool(self.block_list(x))


class Columns(nn.Cell):
    """(B, channels, 1, W) -> what two bidirectional LSTMs make of the columns, (W, B, 2 hidden)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.seq_encoder = nn.LSTM(channels, hidden, num_layers=2, bidirectional=True)

    def construct(self, x: Tensor) -> Tensor:
        x = ops.transpose(ops.squeeze(x, 2), (2, 0, 1))
        found, _ = self.seq_encoder(x)
        return found
