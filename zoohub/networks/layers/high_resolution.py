"""The trunk of HRNet: branches of several resolutions side by side that keep exchanging.

Source: Wang et al., "Deep High-Resolution Representation Learning for Visual Recognition" (2019).
Parameter names are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import BasicBlock, BottleneckBlock, Numerics
from zoohub.networks.layers.routing import Upsample2x

# Exchanging modules of stages 2, 3 and 4, which have 2, 3 and 4 branches.
MODULES = (1, 4, 3)
_BLOCKS = 4
_BOTTLENECK_CHANNELS = 64


def conv_norm(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    relu: bool = False,
    bias: bool = False,
) -> nn.SequentialCell:
    """(B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride)."""
    conv = conv2d(in_channels, out_channels, kernel, stride, bias=bias)
    cells = [conv, BatchNorm2d(out_channels)]
    return nn.SequentialCell([*cells, nn.ReLU()] if relu else cells)


def bottlenecks(in_channels: int, channels: int, count: int) -> nn.SequentialCell:
    """(B, in_channels, H, W) -> (B, 4 channels, H, W)."""
    inputs = [in_channels, *[4 * channels] * (count - 1)]
    return nn.SequentialCell([BottleneckBlock(each, channels, 1, Numerics()) for each in inputs])


def _downward(in_channels: int, out_channels: int, steps: int) -> nn.SequentialCell:
    """Halve `steps` times; the last step changes the channels and has no activation."""
    cells = [conv_norm(in_channels, in_channels, 3, 2, relu=True) for _ in range(steps - 1)]
    return nn.SequentialCell([*cells, conv_norm(in_channels, out_channels, 3, 2)])


class Exchange(Cell):
    """Four residual blocks on each branch, then each branch gets the sum over all.

    A tuple of (B, channels[i], H / 2^i, W / 2^i) -> the same shapes. Higher branches reach lower
    ones by strided convolutions, lower ones higher ones by a 1×1 convolution and repeating pixels;
    with `half` what is repeated is rounded to float16.
    """

    def __init__(self, channels: Sequence[int], half: bool) -> None:
        super().__init__()
        self.half = half
        self.branches = nn.CellList(
            [
                nn.SequentialCell([BasicBlock(c, c, 1, Numerics()) for _ in range(_BLOCKS)])
                for c in channels
            ]
        )
        self.fuse_layers = nn.CellList(
            [
                nn.CellList([self.path(channels, to, fro) for fro in range(len(channels))])
                for to in range(len(channels))
            ]
        )
        self.upsample = Upsample2x()

    @staticmethod
    def path(channels: Sequence[int], to: int, fro: int) -> nn.Cell:
        """What leads from one branch to another."""
        if to == fro:
            return nn.Identity()
        if fro > to:
            return conv_norm(channels[fro], channels[to], 1)
        return _downward(channels[fro], channels[to], to - fro)

    def raised(self, x: Tensor, times: int, like: Tensor) -> Tensor:
        """`x` with every pixel 2^`times` times in both directions, of the size of `like`.

        Cut without asking whether there is anything to cut: a question about sizes would keep the
        network from being exported with open ones.
        """
        for _ in range(times):
            x = self.upsample(x)
        x = x[:, :, : like.shape[2], : like.shape[3]]
        return x.astype(mstype.float16).astype(like.dtype) if self.half else x

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        kept: tuple[Tensor, ...] = ()
        for index, branch in enumerate(self.branches):
            kept = (*kept, branch(maps[index]))
        results: tuple[Tensor, ...] = ()
        for to, paths in enumerate(self.fuse_layers):
            total = paths[0](kept[0])
            for fro in range(1, len(kept)):
                found = paths[fro](kept[fro])
                if fro > to:
                    found = self.raised(found, fro - to, kept[to])
                total = total + found
            results = (*results, ops.relu(total))
        return results


def _transition(before: Sequence[int], channels: Sequence[int]) -> nn.CellList:
    """From the branches there are to one more, made from the lowest."""
    cells: list[nn.Cell] = []
    for index, count in enumerate(channels):
        if index >= len(before):
            down = conv_norm(before[-1], count, 3, 2, relu=True)
            cells.append(nn.SequentialCell([down]))
        elif before[index] != count:
            cells.append(conv_norm(before[index], count, 3, relu=True))
        else:
            cells.append(nn.Identity())
    return nn.CellList(cells)


class HighResolutionTrunk(Cell):
    """Stem and four stages; networks derive from it, call `add_trunk` and add their head.

    (B, in_channels, H, W) -> four maps: (B, width · 2^i, H / 2^(i + 2), W / 2^(i + 2)).
    """

    def add_trunk(self, in_channels: int, width: int, half: bool = False) -> tuple[int, ...]:
        """Make the cells and return the channels of the four branches."""
        self.conv1 = conv2d(in_channels, 64, 3, 2)
        self.bn1 = BatchNorm2d(64)
        self.conv2 = conv2d(64, 64, 3, 2)
        self.bn2 = BatchNorm2d(64)
        self.layer1 = bottlenecks(64, _BOTTLENECK_CHANNELS, _BLOCKS)
        channels = tuple(width * 2**index for index in range(4))
        self.transition1 = _transition((4 * _BOTTLENECK_CHANNELS,), channels[:2])
        self.stage2 = self.stage(channels[:2], MODULES[0], half)
        self.transition2 = _transition(channels[:2], channels[:3])
        self.stage3 = self.stage(channels[:3], MODULES[1], half)
        self.transition3 = _transition(channels[:3], channels)
        self.stage4 = self.stage(channels, MODULES[2], half)
        return channels

    @staticmethod
    def stage(channels: Sequence[int], modules: int, half: bool) -> nn.SequentialCell:
        return nn.SequentialCell([Exchange(channels, half) for _ in range(modules)])

    def stem(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, 64, H / 2, W / 2)."""
        return ops.relu(self.bn1(self.conv1(x)))

    def branches(self, stem: Tensor) -> tuple[Tensor, ...]:
        """The stem's map -> the four branches."""
        x = self.layer1(ops.relu(self.bn2(self.conv2(stem))))
        maps = self.stage2((self.transition1[0](x), self.transition1[1](x)))
        maps = self.stage3((maps[0], maps[1], self.transition2[2](maps[1])))
        return self.stage4((maps[0], maps[1], maps[2], self.transition3[3](maps[2])))
