"""The blocks and the heads that YOLOv7 adds.

Source: Wang et al., "YOLOv7: Trainable Bag-of-Freebies Sets New State-of-the-Art for Real-Time
Object Detectors" (2022); parameter names are those of mindyolo's checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Normal, initializer

from zoohub.networks.layers.anchor_head import AnchorHead, Anchors, split_anchors
from zoohub.networks.layers.conv import ConvNormAct

# From (x, y, width, height) to (left, top, right, bottom), as a product; checkpoints hold it.
_TO_CORNERS = ((1, 0, 1, 0), (0, 1, 0, 1), (-0.5, 0, 0.5, 0), (0, -0.5, 0, 0.5))


class ZeroPadPool(nn.Cell):
    """Max pooling of stride 1 that keeps the size: the zeros around the map count."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        ring = kernel // 2
        self.pad = nn.Pad(((0, 0), (0, 0), (ring, ring), (ring, ring)))
        self.pool = nn.MaxPool2d(kernel, 1)

    def construct(self, x: Tensor) -> Tensor:
        return self.pool(self.pad(x))


class Halve(nn.Cell):
    """Half of the size, in two ways: a convolution of stride 2, and max pooling.

    (B, in_channels, H, W) -> (B, out_channels, H / 2, W / 2).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.cv1 = ConvNormAct(in_channels, in_channels)
        self.cv2 = ConvNormAct(in_channels, out_channels // 2, 3, 2)
        self.cv3 = ConvNormAct(in_channels, out_channels // 2)
        self.pool = nn.MaxPool2d(2, 2)

    def construct(self, x: Tensor) -> Tensor:
        return ops.concat((self.cv2(self.cv1(x)), self.cv3(self.pool(x))), 1)


class PyramidCSP(nn.Cell):
    """Half of the channels through a spatial pyramid, half past it.

    (B, in_channels, H, W) -> (B, out_channels, H, W).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        hidden = out_channels
        self.cv1 = ConvNormAct(in_channels, hidden)
        self.cv2 = ConvNormAct(in_channels, hidden)
        self.cv3 = ConvNormAct(hidden, hidden, 3)
        self.cv4 = ConvNormAct(hidden, hidden)
        self.m = nn.CellList([ZeroPadPool(kernel) for kernel in (5, 9, 13)])
        self.cv5 = ConvNormAct(4 * hidden, hidden)
        self.cv6 = ConvNormAct(hidden, hidden, 3)
        self.cv7 = ConvNormAct(2 * hidden, out_channels)

    def construct(self, x: Tensor) -> Tensor:
        y = self.cv4(self.cv3(self.cv1(x)))
        views: tuple[Tensor, ...] = (y,)
        for pool in self.m:
            views = (*views, pool(y))
        y = self.cv6(self.cv5(ops.concat(views, 1)))
        return self.cv7(ops.concat((y, self.cv2(x)), 1))


class Add(nn.Cell):
    """Two maps -> their sum."""

    def construct(self, maps: tuple[Tensor, Tensor]) -> Tensor:
        return maps[0] + maps[1]


class Implicit(nn.Cell):
    """A learnt number a channel, for the whole picture: YOLOR's implicit knowledge."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.implicit = Parameter(initializer(Normal(0.02), (1, channels, 1, 1)), name="implicit")


class ImplicitHead(AnchorHead):
    """`AnchorHead` whose convolutions have implicit knowledge added before and multiplied after."""

    def __init__(
        self,
        channels: Sequence[int],
        num_classes: int,
        anchors: Anchors,
        strides: Sequence[int],
        decode: bool = True,
    ) -> None:
        super().__init__(channels, num_classes, anchors, strides, decode)
        corners = Tensor(np.array(_TO_CORNERS, np.float32))
        self.convert_matrix = Parameter(corners, name="convert_matrix", requires_grad=False)
        self.add_auxiliary(num_classes)
        self.ia = nn.CellList([Implicit(width) for width in channels])
        self.im = nn.CellList([Implicit(self.per_cell * (num_classes + 5)) for _ in channels])

    def add_auxiliary(self, num_classes: int) -> None:
        """Make the convolutions of an auxiliary branch, if there is one."""

    def predict(self, features: Tensor, conv: nn.Cell, level: int) -> Tensor:
        return self.im[level].implicit * conv(self.ia[level].implicit + features)


class AuxiliaryHead(ImplicitHead):
    """`ImplicitHead` with a second convolution a level, over maps of its own, for training alone.

    Takes a tuple of twice as many maps as levels, the auxiliary ones last. In training mode the
    auxiliary raw maps follow the others.

    A network that mindyolo 0.5.0 makes of anchors in floating point, without a checkpoint, divides
    those it decodes with by the strides, in place: its boxes are that much smaller than these.
    """

    def __init__(
        self,
        channels: Sequence[int],
        num_classes: int,
        anchors: Anchors,
        strides: Sequence[int],
        decode: bool = True,
    ) -> None:
        self.auxiliary_channels = tuple(channels[len(strides) :])
        super().__init__(channels[: len(strides)], num_classes, anchors, strides, decode)

    def add_auxiliary(self, num_classes: int) -> None:
        outputs = self.per_cell * (num_classes + 5)
        self.m2 = nn.CellList(
            [
                nn.Conv2d(width, outputs, 1, pad_mode="valid", has_bias=True)
                for width in self.auxiliary_channels
            ]
        )

    def construct(self, features: tuple[Tensor, ...]) -> tuple[object, ...]:
        levels = len(self.m2)
        result = super().construct(features[:levels])
        if not self.training:
            return result
        for level, conv in enumerate(self.m2):
            result = (*result, split_anchors(conv(features[levels + level]), self.per_cell))
        return result
