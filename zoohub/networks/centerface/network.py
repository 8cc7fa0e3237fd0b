"""CenterFace on MobileNetV2, as the MindSpore models repository publishes it.

Source: Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (2019), in
the form of the models repository (official/cv/centerface), whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

# Expansion, channels, repeats, stride of each group of blocks.
_FINE = ((1, 16, 1, 1), (6, 24, 2, 2))
_GROUPS = (((6, 32, 3, 2),), ((6, 64, 4, 2), (6, 96, 3, 1)), ((6, 160, 3, 2), (6, 320, 1, 1)))
_WIDTHS = (24, 32, 96, 320)
_CHANNELS = 64
_MERGE_EPS = 1e-3


class ConvNormReLU6(nn.Cell):
    """Convolution, batch norm, ReLU6."""

    def __init__(
        self, in_channels: int, channels: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        conv = conv2d(in_channels, channels, kernel, stride, groups=groups)
        self.features = nn.SequentialCell([conv, BatchNorm2d(channels), nn.ReLU6()])

    def construct(self, x: Tensor) -> Tensor:
        return self.features(x)


class InvertedResidual(nn.Cell):
    """MobileNetV2's block: expand, filter each channel by itself, project."""

    def __init__(self, in_channels: int, channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        expand = [ConvNormReLU6(in_channels, hidden, 1)] if expansion != 1 else []
        self.conv = nn.SequentialCell(
            [
                *expand,
                ConvNormReLU6(hidden, hidden, 3, stride, groups=hidden),
                conv2d(hidden, channels, 1),
                BatchNorm2d(channels),
            ]
        )
        self.shortcut = stride == 1 and in_channels == channels

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return x + y if self.shortcut else y


def blocks(in_channels: int, groups: tuple[tuple[int, int, int, int], ...]) -> list[nn.Cell]:
    """The blocks of several groups, one after the other."""
    made: list[nn.Cell] = []
    for expansion, channels, repeats, stride in groups:
        for index in range(repeats):
            step = stride if index == 0 else 1
            made.append(InvertedResidual(in_channels, channels, step, expansion))
            in_channels = channels
    return made


class Backbone(nn.Cell):
    """-> maps at 1/4, 1/8, 1/16 and 1/32, of 24, 32, 96 and 320 channels."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        stem = ConvNormReLU6(in_channels, 32, 3, 2)
        self.need_fp1 = nn.SequentialCell([stem, *blocks(32, _FINE)])
        self.need_fp2 = nn.SequentialCell(blocks(_WIDTHS[0], _GROUPS[0]))
        self.need_fp3 = nn.SequentialCell(blocks(_WIDTHS[1], _GROUPS[1]))
        self.need_fp4 = nn.SequentialCell(blocks(_WIDTHS[2], _GROUPS[2]))

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x1 = self.need_fp1(x)
        x2 = self.need_fp2(x1)
        x3 = self.need_fp3(x2)
        return x1, x2, x3, self.need_fp4(x3)


def merge_conv(in_channels: int, kernel: int = 1, eps: float = _MERGE_EPS) -> nn.SequentialCell:
    """Convolution to the pyramid's channels, batch norm, ReLU."""
    conv = conv2d(in_channels, _CHANNELS, kernel)
    return nn.SequentialCell([conv, BatchNorm2d(_CHANNELS, eps), nn.ReLU()])


class Up(nn.Cell):
    """A coarse map spread to twice its size, plus a finer one."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        spread = nn.Conv2dTranspose(_CHANNELS, _CHANNELS, 2, 2)
        self.up = nn.SequentialCell([spread, BatchNorm2d(_CHANNELS, _MERGE_EPS), nn.ReLU()])
        self.conv = merge_conv(in_channels)

    def construct(self, coarse: Tensor, fine: Tensor) -> Tensor:
        return self.up(coarse) + self.conv(fine)


class Pyramid(nn.Cell):
    """Four maps -> one at 1/4, of 64 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = merge_conv(_WIDTHS[3])
        self.conv_last = merge_conv(_CHANNELS, 3, 1e-5)
        self.up1 = Up(_WIDTHS[2])
        self.up2 = Up(_WIDTHS[1])
        self.up3 = Up(_WIDTHS[0])

    def construct(self, x1: Tensor, x2: Tensor, x3: Tensor, x4: Tensor) -> Tensor:
        x = self.up1(self.conv(x4), x3)
        return self.conv_last(self.up3(self.up2(x, x2), x1))


class CenterFace(nn.Cell):
    """(B, in_channels, H, W) -> four maps at 1/4."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.base = Backbone(in_channels)
        self.dla_up = Pyramid()

        def head(outputs: int) -> nn.Conv2d:
            return conv2d(_CHANNELS, outputs, 1, bias=True)

        self.hm_head = nn.SequentialCell([head(1)])
        self.wh_head = head(2)
        self.off_head = head(2)
        self.kps_head = head(10)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x1, x2, x3, x4 = self.base(x)
        x = self.dla_up(x1, x2, x3, x4)
        heat = ops.sigmoid(self.hm_head(x))
        return heat, self.wh_head(x), self.off_head(x), self.kps_head(x)


def centerface(in_channels: int = 3) -> CenterFace:
    """CenterFace: float32 (B, in_channels, H, W) -> four maps; H and W multiples of 32.

    They are (B, 1, H/4, W/4), how likely a face's centre is there, from 0 to 1; (B, 2, …) its size,
    (B, 2, …) the centre's place in the cell and (B, 10, …) its five landmarks.

    Args:
        in_channels: channels of the picture.
    """
    return CenterFace(in_channels)
