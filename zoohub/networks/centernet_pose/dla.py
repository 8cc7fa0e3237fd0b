"""DLA-34 and its upward half: maps that are merged as a tree, down to 1/32 and back to 1/4.

Source: Yu et al., "Deep Layer Aggregation" (2018), in the form of research/cv/centernet of the
MindSpore models repository, whose parameter names these are. There every tree has a root and a
projection, those of two levels too, which do not use theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

WIDTHS = (16, 32, 64, 128, 256, 512)
"""Channels at 1/1, 1/2, …, 1/32."""
# Levels of the trees at 1/4 to 1/32
_TREES = (1, 2, 2, 1)
_FINEST = 2  # place in `WIDTHS` of the map that is given


class ConvNorm(nn.Cell):
    """Convolution, batch norm and, with `act`, ReLU."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, act: bool = True
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride)
        self.batchnorm = BatchNorm2d(out_channels)
        self.act = act

    def construct(self, x: Tensor) -> Tensor:
        x = self.batchnorm(self.conv(x))
        return ops.relu(x) if self.act else x


class Block(nn.Cell):
    """Two 3×3 convolutions, added to what is given as shortcut: (B, channels, H', W')."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv_bn_act = ConvNorm(in_channels, channels, 3, stride)
        self.conv_bn = ConvNorm(channels, channels, 3, act=False)

    def construct(self, x: Tensor, shortcut: Tensor) -> Tensor:
        return ops.relu(self.conv_bn(self.conv_bn_act(x)) + shortcut)


class Root(nn.Cell):
    """The maps of a tree's leaves -> one, of `channels`."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, channels, 1)
        self.bn = BatchNorm2d(channels)

    def construct(self, leaves: tuple[Tensor, ...]) -> Tensor:
        return ops.relu(self.bn(self.conv(ops.concat(leaves, 1))))


class Tree(nn.Cell):
    """(B, in_channels, H, W), and maps to merge with -> (B, channels, H / stride, W / stride).

    One level: two blocks and their root. Two: two trees, of which the second merges the first's.
    With `level_root` the halved input is merged too. `merged` counts the channels of other maps.
    """

    def __init__(
        self,
        levels: int,
        in_channels: int,
        channels: int,
        stride: int,
        level_root: bool,
        merged: int = 0,
    ) -> None:
        super().__init__()
        inputs = 2 * channels + merged + (in_channels if level_root else 0)
        self.levels = levels
        self.level_root = level_root
        self.strided = stride > 1
        if levels == 1:
            self.tree1 = Block(in_channels, channels, stride)
            self.tree2 = Block(channels, channels, 1)
        else:
            own = channels + (in_channels if level_root else 0)
            self.tree1 = Tree(levels - 1, in_channels, channels, stride, level_root=False)
            self.tree2 = Tree(levels - 1, channels, channels, 1, level_root=False, merged=own)
        self.root = Root(inputs, channels)
        self.halve = nn.MaxPool2d(stride, stride)
        self.project = (
            ConvNorm(in_channels, channels, 1, act=False) if in_channels != channels else None
        )

    def construct(self, x: Tensor, others: tuple[Tensor, ...] = ()) -> Tensor:
        below = self.halve(x) if self.strided else x
        leaves = (*others, below) if self.level_root else others
        if self.levels == 1:
            shortcut = below if self.project is None else self.project(below)
            first = self.tree1(x, shortcut)
            return self.root((self.tree2(first, first), first, *leaves))
        first = self.tree1(x)
        return self.tree2(first, (*leaves, first))


class DLA34(nn.Cell):
    """(B, in_channels, H, W) -> maps at 1/4, 1/8, 1/16 and 1/32."""

    def __init__(self, in_channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.base_layer = ConvNorm(in_channels, widths[0], 7)
        self.level0 = nn.SequentialCell([ConvNorm(widths[0], widths[0], 3)])
        self.level1 = nn.SequentialCell([ConvNorm(widths[0], widths[1], 3, 2)])
        self.level2, self.level3, self.level4, self.level5 = [
            Tree(levels, widths[place - 1], widths[place], 2, level_root=place > _FINEST)
            for place, levels in enumerate(_TREES, start=_FINEST)
        ]

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        quarter = self.level2(self.level1(self.level0(self.base_layer(x))))
        eighth = self.level3(quarter)
        sixteenth = self.level4(eighth)
        return quarter, eighth, sixteenth, self.level5(sixteenth)


class Merge(nn.Cell):
    """A coarse map of `in_channels`, spread by `factor`, and a fine one of `channels` -> one."""

    def __init__(self, in_channels: int, channels: int, factor: int = 2) -> None:
        super().__init__()
        self.proj = ConvNorm(in_channels, channels, 1)
        self.node = ConvNorm(2 * channels, channels, 3)
        self.up = nn.Conv2dTranspose(channels, channels, 2 * factor, factor, "pad", factor // 2)

    def construct(self, coarse: Tensor, fine: Tensor) -> Tensor:
        return self.node(ops.concat((self.up(self.proj(coarse)), fine), 1))


class Upward(nn.Cell):
    """The four maps -> one at 1/4, as wide as the first.

    Each coarser map is merged down through all finer ones, whose merged form the next one meets;
    in the end all of them are merged with the last.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        coarser = list(enumerate(widths))[1:]
        self.idaup_fns = nn.CellList([Merge(width, widths[i - 1]) for i, width in coarser])
        self.final_idaup_fns = nn.CellList([Merge(width, widths[0], 2**i) for i, width in coarser])

    def construct(self, maps: tuple[Tensor, ...]) -> Tensor:
        merged: tuple[Tensor, ...] = (maps[0],)
        for level in range(1, len(maps)):
            node = maps[level]
            now: tuple[Tensor, ...] = (node,)
            for below in range(level):
                node = self.idaup_fns[level - 1 - below](node, merged[below])
                now = (*now, node)
            merged = now
        last = merged[-1]
        for level, merge in enumerate(self.final_idaup_fns):
            last = merge(merged[len(maps) - 2 - level], last)
        return last


class DLASeg(nn.Cell):
    """(B, in_channels, H, W) -> (B, widths[2], H / 4, W / 4)."""

    def __init__(self, in_channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.dla = DLA34(in_channels, widths)
        self.dla_up = Upward(widths[_FINEST:])

    def construct(self, x: Tensor) -> Tensor:
        return self.dla_up(self.dla(x))
