"""Squeeze and excitation: channels weighted by what the whole picture holds.

Source: Hu et al., "Squeeze-and-Excitation Networks" (2018).
"""

from __future__ import annotations

from collections.abc import Callable

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.cell import Cell, another
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d


def _conv1x1(in_channels: int, out_channels: int) -> nn.Conv2d:
    return conv2d(in_channels, out_channels, 1, bias=True)


class SqueezeExcite(Cell):
    """Mean over the picture, two 1×1 convolutions, and the input times what comes out.

    (B, channels, H, W) -> the same shape. Parameter names are those of mindcv and timm.

    Args:
        channels: of the input.
        hidden: channels between the two convolutions.
        act: makes the activation between them.
        gate: makes what turns the second one's output into weights.
        norm: a batch norm `bn` after the first convolution.
        conv: makes the convolutions, from channels before and after.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        act: Callable[[], nn.Cell] = nn.ReLU,
        gate: Callable[[], nn.Cell] = nn.Sigmoid,
        norm: bool = False,
        conv: Callable[[int, int], nn.Cell] = _conv1x1,
    ) -> None:
        super().__init__()
        self.conv_reduce = conv(channels, hidden)
        self.bn = BatchNorm2d(hidden) if norm else None
        self.act = another(act)
        self.conv_expand = conv(hidden, channels)
        self.gate = another(gate)

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv_reduce(ops.mean(x, (2, 3), True))
        if self.bn is not None:
            y = self.bn(y)
        return x * self.gate(self.conv_expand(self.act(y)))


class DenseSqueezeExcite(Cell):
    """The same with dense layers in place of the 1×1 convolutions.

    (B, channels, H, W) -> the same shape.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        act: Callable[[], nn.Cell] = nn.ReLU,
        gate: Callable[[], nn.Cell] = nn.Sigmoid,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.conv_reduce = nn.Dense(channels, hidden)
        self.act = another(act)
        self.conv_expand = nn.Dense(hidden, channels)
        self.gate = another(gate)

    def construct(self, x: Tensor) -> Tensor:
        y = self.act(self.conv_reduce(ops.mean(x, (2, 3))))
        weights = self.gate(self.conv_expand(y))
        return x * ops.reshape(weights, (-1, self.channels, 1, 1))
