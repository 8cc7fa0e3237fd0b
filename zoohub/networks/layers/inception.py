"""Bricks of the Inception networks."""

from __future__ import annotations

from collections import OrderedDict

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import Padding, conv2d
from zoohub.networks.layers.norm import BatchNorm2d


class ConvBN(nn.Cell):
    """Convolution, batch norm, ReLU.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride). Without padding (0) the
    edges fall away.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int | tuple[int, int] = 1,
        stride: int = 1,
        padding: Padding | int = "symmetric",
        eps: float = 1e-3,
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride, padding)
        self.bn = BatchNorm2d(out_channels, eps, momentum=0.9997)

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu(self.bn(self.conv(x)))


class Branches(nn.SequentialCell):
    """Cells side by side, named: (B, C, H, W) -> (B, sum of their channels, H', W')."""

    def __init__(self, **cells: nn.Cell) -> None:
        super().__init__(OrderedDict(cells))

    def construct(self, x: Tensor) -> Tensor:
        outputs: tuple[Tensor, ...] = ()
        for branch in self.cell_list:
            outputs = (*outputs, branch(x))
        return ops.concat(outputs, 1)


class Row:
    """Makes rows of convolutions whose batch norms have the epsilon `eps`.

    A row is written as its input's channels and then (channels, kernel) of each convolution.
    """

    def __init__(self, eps: float = 1e-3) -> None:
        self.eps = eps

    def conv(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int | tuple[int, int] = 1,
        stride: int = 1,
        padding: Padding | int = "symmetric",
    ) -> ConvBN:
        return ConvBN(in_channels, out_channels, kernel, stride, padding, self.eps)

    def __call__(
        self, in_channels: int, *convs: tuple[int, int | tuple[int, int]], reduces: bool = False
    ) -> nn.SequentialCell:
        """`reduces`: the last convolution has stride 2 and does not pad."""
        cells: list[nn.Cell] = []
        for number, (out_channels, kernel) in enumerate(convs, 1):
            last = reduces and number == len(convs)
            if last:
                cells.append(self.conv(in_channels, out_channels, kernel, 2, padding=0))
            else:
                cells.append(self.conv(in_channels, out_channels, kernel))
            in_channels = out_channels
        return nn.SequentialCell(cells)

    def pooled(self, in_channels: int, out_channels: int) -> nn.SequentialCell:
        """The average over 3×3 windows, then a 1×1 convolution."""
        pool = nn.AvgPool2d(3, 1, pad_mode="same")
        return nn.SequentialCell([pool, self.conv(in_channels, out_channels)])
