"""The feature pyramid of SSD's variants with one.

Source: Lin et al., "Feature Pyramid Networks for Object Detection" (2017), in the form of the
MindSpore models repository, whose parameter names these are.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d, conv_norm


def same_conv(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, light: bool = False
) -> nn.SequentialCell:
    """Convolution (over each channel by itself where `light`), batch norm, ReLU6."""
    groups = in_channels if light else 1
    return nn.SequentialCell(
        conv_norm(in_channels, out_channels, kernel, stride, "same", groups, act=nn.ReLU6)
    )


class TopDown(nn.Cell):
    """Maps of growing stride -> as many, of `channels`, each having seen those of larger stride."""

    def __init__(self, in_channels: Sequence[int], channels: int, light: bool) -> None:
        super().__init__()
        self.lateral_convs_list = nn.CellList(
            [conv2d(width, channels, 1, 1, "same", bias=True) for width in in_channels]
        )
        self.fpn_convs_list = nn.CellList(
            [same_conv(channels, channels, 3, light=light) for _ in in_channels]
        )
        # Unlike `interpolate`, with the corners of the pixels, not their centres, in place.
        self.resize = ops.auto_generate.ResizeBilinearV2(False, False)

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        levels = len(self.lateral_convs_list)
        own: tuple[Tensor, ...] = ()
        for level, lateral in enumerate(self.lateral_convs_list):
            own = (*own, lateral(maps[level]))
        above = own[levels - 1]
        merged: tuple[Tensor, ...] = (above,)
        for step in range(1, levels):
            below = own[levels - 1 - step]
            above = self.resize(above, below.shape[2:]) + below
            merged = (above, *merged)
        smooth: tuple[Tensor, ...] = ()
        for level, conv in enumerate(self.fpn_convs_list):
            smooth = (*smooth, conv(merged[level]))
        return smooth


class BottomUp(nn.Cell):
    """Two more maps, each of half the size of the one before."""

    def __init__(self, channels: int, light: bool) -> None:
        super().__init__()
        self.blocks = nn.CellList([same_conv(channels, channels, 3, 2, light) for _ in range(2)])

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        last = maps[-1]
        for block in self.blocks:
            last = block(last)
            maps = (*maps, last)
        return maps


class Narrowed(nn.Cell):
    """Two more maps of `channels`, each of half the size; the last one is narrowed for them."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.Channel_cover = same_conv(in_channels, channels, 3)
        self.blocks = nn.CellList([same_conv(channels, channels, 3, 2) for _ in range(2)])

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        last = self.Channel_cover(maps[-1])
        for block in self.blocks:
            last = block(last)
            maps = (*maps, last)
        return maps
