"""Bricks that NASNet and PNASNet share."""

from __future__ import annotations

from collections import OrderedDict

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

EPS = 1e-3


class SeparableConv(nn.Cell):
    """A convolution of each channel, then a 1×1 one.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise_conv2d = conv2d(in_channels, in_channels, kernel, stride, groups=in_channels)
        self.pointwise_conv2d = conv2d(in_channels, out_channels, 1)

    def construct(self, x: Tensor) -> Tensor:
        return self.pointwise_conv2d(self.depthwise_conv2d(x))


class SeparableBranch(nn.Cell):
    """Twice ReLU, separable convolution, batch norm; the first convolution has the stride.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride). `widens_first`: the first
    convolution gives out_channels already. `shifted`: a row and a column of zeros come first and
    the first row and column of the convolution's output are dropped, which moves a stride of 2 by
    one pixel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        widens_first: bool = False,
        shifted: bool = False,
    ) -> None:
        super().__init__()
        hidden = out_channels if widens_first else in_channels
        self.pad = nn.Pad(((0, 0), (0, 0), (1, 0), (1, 0))) if shifted else None
        self.separable_1 = SeparableConv(in_channels, hidden, kernel, stride)
        self.bn_sep_1 = BatchNorm2d(hidden, EPS)
        self.separable_2 = SeparableConv(hidden, out_channels, kernel)
        self.bn_sep_2 = BatchNorm2d(out_channels, EPS)

    def construct(self, x: Tensor) -> Tensor:
        x = ops.relu(x)
        if self.pad is None:
            x = self.separable_1(x)
        else:
            x = self.separable_1(self.pad(x))[:, :, 1:, 1:]
        return self.bn_sep_2(self.separable_2(ops.relu(self.bn_sep_1(x))))


class FactorizedPaths(nn.Cell):
    """A cell that halves a map by two 1×1 convolutions, of every second pixel and those between."""

    def add_paths(self, in_channels: int, out_channels: int, named: bool) -> None:
        """Own the two paths and their norm; `named`: the first path's convolution is `conv`."""
        first = out_channels // 2
        path = (nn.AvgPool2d(1, 2, pad_mode="valid"), conv2d(in_channels, first, 1))
        self.path_1 = nn.SequentialCell(
            OrderedDict(zip(("avgpool", "conv"), path, strict=True)) if named else list(path)
        )
        self.path_2 = nn.CellList(
            [
                nn.Pad(((0, 0), (0, 0), (0, 1), (0, 1))),
                nn.AvgPool2d(1, 2, pad_mode="valid"),
                conv2d(in_channels, out_channels - first, 1),
            ]
        )
        self.final_path_bn = BatchNorm2d(out_channels, EPS)

    def halve(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H / 2, W / 2)."""
        x = ops.relu(x)
        between = self.path_2[0](x)[:, :, 1:, 1:]
        between = self.path_2[2](self.path_2[1](between))
        return self.final_path_bn(ops.concat((self.path_1(x), between), 1))
