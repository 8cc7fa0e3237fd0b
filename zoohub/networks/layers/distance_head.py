"""Anchor-free detection heads that say how far a box's sides are from a cell: YOLOv8 to YOLOv11.

Source: Li et al., "Generalized Focal Loss" (2020): each distance is the mean of a distribution
over 0, 1, … `reg_max` - 1 cells. Parameter names are those of mindyolo's checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from zoohub.networks.layers.anchor_head import cell_offsets
from zoohub.networks.layers.conv import ConvNormAct

REG_MAX = 16

# in_channels, hidden, out_channels -> a branch of a level
MakeBranch = Callable[[int, int, int], nn.Cell]


def plain_branch(in_channels: int, hidden: int, out_channels: int, groups: int = 1) -> nn.Cell:
    """Two 3×3 convolutions and a 1×1; the last two of them in `groups`."""
    return nn.SequentialCell(
        [
            ConvNormAct(in_channels, hidden, 3),
            ConvNormAct(hidden, hidden, 3, groups=groups),
            nn.Conv2d(hidden, out_channels, 1, group=groups, has_bias=True),
        ]
    )


def light_branch(in_channels: int, hidden: int, out_channels: int) -> nn.Cell:
    """The same with each 3×3 convolution split into one over pixels and one over channels."""
    return nn.SequentialCell(
        [
            *(
                nn.SequentialCell(
                    [ConvNormAct(width, width, 3, groups=width), ConvNormAct(width, hidden)]
                )
                for width in (in_channels, hidden)
            ),
            nn.Conv2d(hidden, out_channels, 1, has_bias=True),
        ]
    )


def branches(
    make: MakeBranch, channels: Sequence[int], hidden: int, out_channels: int
) -> nn.CellList:
    """One branch a level."""
    return nn.CellList([make(width, hidden, out_channels) for width in channels])


def box_width(channels: Sequence[int]) -> int:
    """The hidden channels of the branches for boxes."""
    return max(16, channels[0] // 4, 4 * REG_MAX)


class MeanDistance(nn.Cell):
    """Logits over distances (…, `REG_MAX`) -> their mean (…), in cells.

    The distances 0, 1, … are a convolution's weight in checkpoints.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(REG_MAX, 1, 1)
        distances = np.arange(REG_MAX, dtype=np.float32).reshape(1, REG_MAX, 1, 1)
        self.conv.weight = Parameter(Tensor(distances), name="weight", requires_grad=False)

    def construct(self, logits: Tensor) -> Tensor:
        distances = ops.reshape(self.conv.weight, (REG_MAX,))
        return (ops.softmax(logits, -1) * distances).sum(-1)


class DistanceDecoder(nn.Cell):
    """Raw maps (B, 4 `REG_MAX` + classes, H_i, W_i) -> (B, sum of H_i·W_i, 4 + classes).

    One map a level. A box is its centre, width and height in pixels of the input, or with
    `corners` its left, top, right and bottom sides; the class scores are from 0 to 1.
    """

    def __init__(self, strides: Sequence[int], corners: bool = False) -> None:
        super().__init__()
        self.strides = tuple(float(stride) for stride in strides)
        self.corners = corners

    def construct(self, raw: tuple[Tensor, ...], mean_distance: nn.Cell) -> Tensor:
        levels: tuple[Tensor, ...] = ()
        for index, stride in enumerate(self.strides):
            levels = (*levels, self.level(raw[index], stride, mean_distance))
        return ops.concat(levels, 1)

    def level(self, raw: Tensor, stride: float, mean_distance: nn.Cell) -> Tensor:
        _, values, height, width = raw.shape
        rows = ops.transpose(raw, (0, 2, 3, 1))
        sides = ops.reshape(rows[..., : 4 * REG_MAX], (-1, height, width, 4, REG_MAX))
        distances = mean_distance(sides)  # to the left, the top, the right, the bottom
        x = cell_offsets(width, (1, 1, width, 1)) + 0.5
        y = cell_offsets(height, (1, height, 1, 1)) + 0.5
        left, top = x - distances[..., 0:1], y - distances[..., 1:2]
        right, bottom = x + distances[..., 2:3], y + distances[..., 3:4]
        if self.corners:
            box = ops.concat((left, top, right, bottom), -1)
        else:
            centre = ((left + right) / 2, (top + bottom) / 2)
            box = ops.concat((*centre, right - left, bottom - top), -1)
        scores = ops.sigmoid(rows[..., 4 * REG_MAX :])
        found = ops.concat((box * stride, scores), -1)
        return ops.reshape(found, (-1, height * width, values - 4 * REG_MAX + 4))


class DistanceHead(nn.Cell):
    """Two branches a level, for the box's sides and for the classes.

    Takes a tuple of feature maps (B, C_i, H_i, W_i). Raw maps are (B, 4 `REG_MAX` + classes, H_i,
    W_i): the logits of the distances to the left, top, right and bottom side, then of the classes.
    In training mode, or with `decode` False, returns the tuple of raw maps; in evaluation mode the
    decoded prediction (`DistanceDecoder`) and that tuple.
    """

    def __init__(
        self,
        channels: Sequence[int],
        num_classes: int,
        strides: Sequence[int],
        decode: bool = True,
        class_branch: MakeBranch = plain_branch,
    ) -> None:
        super().__init__()
        self.decodes = decode
        self.stride = Parameter(Tensor(np.array(strides, np.int32)), requires_grad=False)
        hidden = max(channels[0], num_classes)
        self.cv2 = branches(plain_branch, channels, box_width(channels), 4 * REG_MAX)
        self.cv3 = branches(class_branch, channels, hidden, num_classes)
        self.dfl = MeanDistance()
        self.decoder = DistanceDecoder(strides)

    def construct(self, features: tuple[Tensor, ...]) -> tuple[object, ...]:
        raw = self.raw_maps(features)
        return (self.decoder(raw, self.dfl), raw) if self.decodes and not self.training else raw

    def raw_maps(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        raw: tuple[Tensor, ...] = ()
        for level, box in enumerate(self.cv2):
            x = features[level]
            raw = (*raw, ops.concat((box(x), self.cv3[level](x)), 1))
        return raw
