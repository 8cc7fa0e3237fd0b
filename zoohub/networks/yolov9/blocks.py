"""The blocks and the head that YOLOv9 adds.

Source: Wang et al., "YOLOv9: Learning What You Want to Learn Using Programmable Gradient
Information" (2024); parameter names are those of mindyolo's checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from zoohub.networks.layers.conv import ConvNormAct
from zoohub.networks.layers.distance_head import (
    REG_MAX,
    DistanceDecoder,
    MeanDistance,
    branches,
    plain_branch,
)
from zoohub.networks.layers.pooling import ZeroPadMaxPool
from zoohub.networks.layers.rep_conv import RepConv
from zoohub.networks.layers.routing import Upsample2x


class RepBottleneck(nn.Cell):
    """A `RepConv` and a 3×3 convolution, added to the input: (B, channels, H, W) -> the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1 = RepConv(channels, channels, identity=False)
        self.cv2 = ConvNormAct(channels, channels, 3)

    def construct(self, x: Tensor) -> Tensor:
        return x + self.cv2(self.cv1(x))


class RepCSP(nn.Cell):
    """A C3 block of `repeats` `RepBottleneck`s."""

    def __init__(self, in_channels: int, out_channels: int, repeats: int) -> None:
        super().__init__()
        hidden = out_channels // 2
        self.cv1 = ConvNormAct(in_channels, hidden)
        self.cv2 = ConvNormAct(in_channels, hidden)
        self.cv3 = ConvNormAct(2 * hidden, out_channels)
        self.m = nn.SequentialCell([RepBottleneck(hidden) for _ in range(repeats)])

    def construct(self, x: Tensor) -> Tensor:
        return self.cv3(ops.concat((self.m(self.cv1(x)), self.cv2(x)), 1))


class ELAN(nn.Cell):
    """Half of `split` channels go through two stages of `hidden` ones; all outputs are kept.

    (B, in_channels, H, W) -> (B, out_channels, H, W). A stage is a 3×3 convolution, with `repeats`
    a `RepCSP` of so many bottlenecks before it.
    """

    def __init__(
        self, in_channels: int, out_channels: int, split: int, hidden: int, repeats: int = 0
    ) -> None:
        super().__init__()
        self.half = split // 2

        def stage(channels: int) -> nn.Cell:
            if not repeats:
                return ConvNormAct(channels, hidden, 3)
            return nn.SequentialCell(
                [RepCSP(channels, hidden, repeats), ConvNormAct(hidden, hidden, 3)]
            )

        self.cv1 = ConvNormAct(in_channels, split)
        self.cv2 = stage(self.half)
        self.cv3 = stage(hidden)
        self.cv4 = ConvNormAct(split + 2 * hidden, out_channels)

    def construct(self, x: Tensor) -> Tensor:
        parts = ops.split(self.cv1(x), self.half, 1)
        second = self.cv2(parts[1])
        third = self.cv3(second)
        return self.cv4(ops.concat((parts[0], parts[1], second, third), 1))


class AverageConv(nn.Cell):
    """Half of the size: the mean of every 2×2 pixels, one apart, then a 3×3 with stride 2."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.average = nn.AvgPool2d(2)
        self.cv1 = ConvNormAct(in_channels, out_channels, 3, 2)

    def construct(self, x: Tensor) -> Tensor:
        return self.cv1(self.average(x))


class AverageDown(nn.Cell):
    """`AverageConv` on half of the channels; pooling and a 1×1 convolution on the other."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.half = in_channels // 2
        self.average = nn.AvgPool2d(2)
        self.pool = ZeroPadMaxPool()
        self.cv1 = ConvNormAct(self.half, out_channels // 2, 3, 2)
        self.cv2 = ConvNormAct(self.half, out_channels // 2)

    def construct(self, x: Tensor) -> Tensor:
        parts = ops.split(self.average(x), self.half, 1)
        return ops.concat((self.cv1(parts[0]), self.cv2(self.pool(parts[1]))), 1)


class SPPELAN(nn.Cell):
    """Three poolings one after the other, all outputs kept; as upstream, zeros count in them."""

    def __init__(self, in_channels: int, out_channels: int, hidden: int) -> None:
        super().__init__()
        self.cv1 = ConvNormAct(in_channels, hidden)
        self.cv5 = ConvNormAct(4 * hidden, out_channels)
        self.pad = nn.Pad(((0, 0), (0, 0), (2, 2), (2, 2)))
        self.pool = nn.MaxPool2d(5, 1)

    def construct(self, x: Tensor) -> Tensor:
        first = self.cv1(x)
        second = self.pool(self.pad(first))
        third = self.pool(self.pad(second))
        fourth = self.pool(self.pad(third))
        return self.cv5(ops.concat((first, second, third, fourth), 1))


class Lend(nn.Cell):
    """A 1×1 convolution whose output is parted, a part for each level of the other branch."""

    def __init__(self, in_channels: int, parts: Sequence[int]) -> None:
        super().__init__()
        self.bounds = (0, *(int(bound) for bound in np.cumsum(parts)))
        self.conv = nn.Conv2d(in_channels, sum(parts), 1, has_bias=True)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        y = self.conv(x)
        parts: tuple[Tensor, ...] = ()
        for part in range(len(self.bounds) - 1):  # graph mode has no zip with `strict`
            parts = (*parts, y[:, self.bounds[part] : self.bounds[part + 1]])
        return parts


class Borrow(nn.Cell):
    """Add to the last map the given `part` of each `Lend`, spread to its size.

    The first is of that size, each after it of half the size of the one before.
    """

    def __init__(self, part: int) -> None:
        super().__init__()
        self.part = part
        self.upsample = Upsample2x()

    def construct(self, maps: tuple[Any, ...]) -> Tensor:
        total = maps[0][self.part]
        for doublings in range(1, len(maps) - 1):
            lent = maps[doublings][self.part]
            for _ in range(doublings):
                lent = self.upsample(lent)
            total = total + lent
        return total + maps[-1]


_grouped_branch = partial(plain_branch, groups=4)


class DualHead(nn.Cell):
    """Two `DistanceHead`s, over the first and the second half of the maps; both are decoded.

    Takes a tuple of twice as many maps as levels: the auxiliary branch's, then the main one's.
    Raw maps are as in `DistanceHead`. In training mode, or with `decode` False, returns
    `(auxiliary, main)`, two tuples of raw maps. In evaluation mode returns `(decoded, (auxiliary,
    main))`, decoded being the two predictions in that order: the main one is the second.
    """

    def __init__(
        self,
        channels: Sequence[int],
        num_classes: int,
        strides: Sequence[int],
        decode: bool = True,
    ) -> None:
        super().__init__()
        levels = len(strides)
        self.decodes = decode
        self.stride = Parameter(Tensor(np.array(strides, np.int32)), requires_grad=False)
        first, second = channels[:levels], channels[levels:]
        boxes, classes = 4 * REG_MAX, num_classes
        self.cv2 = branches(_grouped_branch, first, _box_width(first), boxes)
        self.cv3 = branches(plain_branch, first, _class_width(first, classes), classes)
        self.cv4 = branches(_grouped_branch, second, _box_width(second), boxes)
        self.cv5 = branches(plain_branch, second, _class_width(second, classes), classes)
        self.dfl = MeanDistance()
        self.dfl2 = MeanDistance()
        self.decoder = DistanceDecoder(strides)

    def construct(self, features: tuple[Tensor, ...]) -> tuple[object, ...]:
        auxiliary: tuple[Tensor, ...] = ()
        main: tuple[Tensor, ...] = ()
        for level, box in enumerate(self.cv2):
            x = features[level]
            auxiliary = (*auxiliary, ops.concat((box(x), self.cv3[level](x)), 1))
            y = features[level + len(self.cv2)]
            main = (*main, ops.concat((self.cv4[level](y), self.cv5[level](y)), 1))
        if not self.decodes or self.training:
            return auxiliary, main
        decoded = (self.decoder(auxiliary, self.dfl), self.decoder(main, self.dfl2))
        return decoded, (auxiliary, main)


def _box_width(channels: Sequence[int]) -> int:
    return -(-max(channels[0] // 4, 4 * REG_MAX, 16) // 4) * 4


def _class_width(channels: Sequence[int], num_classes: int) -> int:
    return max(channels[0], min(2 * num_classes, 128))
