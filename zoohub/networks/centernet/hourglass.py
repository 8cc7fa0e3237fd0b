"""The hourglass: a map is halved and widened five times, and brought back step by step.

Source: Newell et al., "Stacked Hourglass Networks" (2016), in the form of Law and Deng,
"CornerNet" (2018). Parameter names are those of the MindSpore models repository.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import BasicBlock, Numerics


class ConvNorm(nn.Cell):
    """Convolution, batch norm, ReLU: (B, in_channels, H, W) -> (B, out_channels, H', W')."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride)
        self.bn = BatchNorm2d(out_channels)

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu(self.bn(self.conv(x)))


def residual(in_channels: int, out_channels: int, stride: int = 1) -> BasicBlock:
    """Two 3×3 convolutions and a shortcut."""
    return BasicBlock(in_channels, out_channels, stride, Numerics())


def residuals(widths: Sequence[int], stride: int = 1) -> nn.SequentialCell:
    """One block after another, from each of `widths` to the next; the first has the stride."""
    pairs = pairwise(widths)
    return nn.SequentialCell(
        [residual(a, b, stride if place == 0 else 1) for place, (a, b) in enumerate(pairs)]
    )


class Hourglass(nn.Cell):
    """(B, widths[0], H, W) -> the same shape; H and W multiples of 2 to the number of halvings.

    `widths` are the channels before and after each halving, `counts` the blocks on each size.
    """

    def __init__(self, widths: Sequence[int], counts: Sequence[int]) -> None:
        super().__init__()
        width, inner = widths[0], widths[1]
        count = counts[0]
        self.up1 = residuals((width,) * (count + 1))
        self.low1 = residuals((width, *(inner,) * count), 2)
        self.low2 = (
            Hourglass(widths[1:], counts[1:])
            if len(widths) > 2
            else residuals((inner,) * (counts[1] + 1))
        )
        self.low3 = residuals((*(inner,) * count, width))
        # The corners of the pixels stay in place, as in SSD's pyramid.
        self.resize = ops.auto_generate.ResizeBilinearV2(False, False)

    def construct(self, x: Tensor) -> Tensor:
        here = self.up1(x)
        below = self.low3(self.low2(self.low1(here)))
        return here + self.resize(below, here.shape[2:])
