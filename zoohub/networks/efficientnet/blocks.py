"""The blocks of EfficientNet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from mindspore import Parameter, Tensor, nn
from mindspore.common.initializer import initializer

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import Padding, conv2d, conv_norm
from zoohub.networks.layers.drop_path import DropPath
from zoohub.networks.layers.squeeze_excite import DenseSqueezeExcite, SqueezeExcite
from zoohub.networks.layers.widths import make_divisible


@dataclass(frozen=True, slots=True)
class Numerics:
    """Where publishers differ: `act` and `excite` make cells."""

    padding: Padding
    bn_eps: float
    act: Callable[[], nn.Cell]
    excite: Callable[[int, int], nn.Cell]

    def conv(self, *sizes: int, groups: int = 1, act: bool = True) -> list[nn.Cell]:
        """Convolution, batch norm, activation, from what `conv_norm` takes first."""
        in_channels, out_channels, kernel, *stride = sizes
        made = self.act if act else None
        return conv_norm(
            in_channels,
            out_channels,
            kernel,
            stride[0] if stride else 1,
            self.padding,
            groups,
            act=made,
            eps=self.bn_eps,
            momentum=0.99 if self.bn_eps == 1e-3 else 0.9,
        )


class OuterBiasConv(Cell):
    """A 1×1 convolution whose bias is a parameter (1, out_channels, 1, 1) beside it."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.bias = Parameter(initializer("zeros", (1, out_channels, 1, 1)))
        self.conv = conv2d(in_channels, out_channels, 1)

    def construct(self, x: Tensor) -> Tensor:
        return self.conv(x) + self.bias


# How the weights of squeeze and excitation are stored; each takes channels, hidden ones and `act`.
EXCITATIONS: dict[str, Callable[..., nn.Cell]] = {
    "conv": SqueezeExcite,
    "dense": DenseSqueezeExcite,
    "outer_bias": partial(SqueezeExcite, conv=OuterBiasConv),
}


class _Residual(Cell):
    """`block` of one of the kinds below, and the input added where shapes allow."""

    def __init__(self, block: list[nn.Cell], shortcut: bool, drop_path: float) -> None:
        super().__init__()
        self.block = nn.SequentialCell(block)
        self.shortcut = shortcut
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        y = self.block(x)
        return self.drop_path(y) + x if self.shortcut else y


class MBConv(_Residual):
    """Expand, filter each channel by itself, excite, project.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int,
        expansion: int,
        numerics: Numerics,
        drop_path: float,
    ) -> None:
        hidden = make_divisible(in_channels * expansion)
        block = numerics.conv(in_channels, hidden, 1) if hidden != in_channels else []
        block += numerics.conv(hidden, hidden, kernel, stride, groups=hidden)
        block.append(numerics.excite(hidden, max(1, in_channels // 4)))
        block += numerics.conv(hidden, out_channels, 1, act=False)
        super().__init__(block, stride == 1 and in_channels == out_channels, drop_path)


class FusedMBConv(_Residual):
    """Expand by a whole convolution and project; the convolution alone without expansion.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int,
        expansion: int,
        numerics: Numerics,
        drop_path: float,
    ) -> None:
        hidden = make_divisible(in_channels * expansion)
        if hidden != in_channels:
            block = numerics.conv(in_channels, hidden, kernel, stride)
            block += numerics.conv(hidden, out_channels, 1, act=False)
        else:
            block = numerics.conv(in_channels, out_channels, kernel, stride)
        super().__init__(block, stride == 1 and in_channels == out_channels, drop_path)
