"""The blocks and the head that YOLOv10 adds.

Source: Wang et al., "YOLOv10: Real-Time End-to-End Object Detection" (2024); parameter names are
those of mindyolo's checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.layers.conv import ConvNormAct
from zoohub.networks.layers.distance_head import (
    REG_MAX,
    DistanceDecoder,
    MeanDistance,
    box_width,
    branches,
    light_branch,
    plain_branch,
)


class SpatialDown(nn.Cell):
    """Channels first, then size: 1×1, and a 3×3 over each channel by itself with stride 2.

    (B, in_channels, H, W) -> (B, out_channels, H / 2, W / 2).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.cv1 = ConvNormAct(in_channels, out_channels)
        self.cv2 = ConvNormAct(out_channels, out_channels, 3, 2, groups=out_channels, act=None)

    def construct(self, x: Tensor) -> Tensor:
        return self.cv2(self.cv1(x))


class LargeKernel(nn.Cell):
    """7×7 and 3×3 over each channel by itself, added, SiLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = ConvNormAct(channels, channels, 7, groups=channels, act=None)
        self.conv1 = ConvNormAct(channels, channels, 3, groups=channels, act=None)
        self.act = nn.SiLU()

    def construct(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x) + self.conv1(x))


class CompactInvertedBlock(nn.Cell):
    """3×3 over each channel, 1×1 to twice the channels, 3×3 over each (or `LargeKernel`), back.

    (B, channels, H, W) -> the same; the input is added where `shortcut` is set.
    """

    def __init__(self, channels: int, shortcut: bool, large_kernel: bool) -> None:
        super().__init__()
        wide = 2 * channels
        self.cv1 = nn.SequentialCell(
            [
                ConvNormAct(channels, channels, 3, groups=channels),
                ConvNormAct(channels, wide),
                LargeKernel(wide) if large_kernel else ConvNormAct(wide, wide, 3, groups=wide),
                ConvNormAct(wide, channels),
                ConvNormAct(channels, channels, 3, groups=channels),
            ]
        )
        self.shortcut = shortcut

    def construct(self, x: Tensor) -> Tensor:
        return x + self.cv1(x) if self.shortcut else self.cv1(x)


class TopBoxes(nn.Cell):
    """(B, N, 4 + classes) -> the `count` best (B, count, 6): box, score, class's index.

    First the cells with the best scores, then the best of all their scores: a cell may give
    several boxes. Where there are fewer than `count` cells, boxes of score 0 fill up.
    """

    def __init__(self, count: int, num_classes: int) -> None:
        super().__init__()
        self.count = count
        self.num_classes = num_classes

    def construct(self, found: Tensor) -> Tensor:
        # Always filled up: of pictures of any size the number of cells is not known beforehand.
        found = ops.pad(found, (0, 0, 0, self.count))
        boxes, scores = found[..., :4], found[..., 4:]
        _, cells = ops.topk(ops.amax(scores, -1), self.count)
        boxes = self.rows(boxes, cells, 4)
        scores = self.rows(scores, cells, self.num_classes)
        scores, places = ops.topk(
            ops.reshape(scores, (-1, self.count * self.num_classes)), self.count
        )
        boxes = self.rows(boxes, places // self.num_classes, 4)
        classes = (places % self.num_classes).astype(mstype.float32)
        return ops.concat((boxes, ops.expand_dims(scores, -1), ops.expand_dims(classes, -1)), -1)

    def rows(self, values: Tensor, chosen: Tensor, width: int) -> Tensor:
        """Rows `chosen` (B, count) of `values` (B, N, width)."""
        return ops.gather_elements(values, 1, ops.tile(ops.expand_dims(chosen, -1), (1, 1, width)))


class TwoHeads(nn.Cell):
    """Two heads over the same maps: one trained to give many boxes an object, one to give one.

    Takes a tuple of feature maps (B, C_i, H_i, W_i). Raw maps are as in `DistanceHead`. In
    training mode, or with `decode` False, returns `(many, one)`, two tuples of raw maps, of which
    the second sends no gradients into the maps. In evaluation mode returns `(found, (many, one))`;
    found is what `TopBoxes` gives of the second head: no suppression is needed.
    """

    def __init__(
        self,
        channels: Sequence[int],
        num_classes: int,
        strides: Sequence[int],
        decode: bool = True,
        max_detections: int = 300,
    ) -> None:
        super().__init__()
        self.decodes = decode
        self.stride = Parameter(Tensor(np.array(strides, np.int32)), requires_grad=False)
        wide, hidden = box_width(channels), max(channels[0], min(num_classes, 100))
        self.cv2 = branches(plain_branch, channels, wide, 4 * REG_MAX)
        self.cv3 = branches(light_branch, channels, hidden, num_classes)
        self.dfl = MeanDistance()
        self.one2one_cv2 = branches(plain_branch, channels, wide, 4 * REG_MAX)
        self.one2one_cv3 = branches(light_branch, channels, hidden, num_classes)
        self.decoder = DistanceDecoder(strides, corners=True)
        self.best = TopBoxes(max_detections, num_classes)

    def construct(self, features: tuple[Tensor, ...]) -> tuple[object, ...]:
        many: tuple[Tensor, ...] = ()
        one: tuple[Tensor, ...] = ()
        for level, box in enumerate(self.cv2):
            x = features[level]
            many = (*many, ops.concat((box(x), self.cv3[level](x)), 1))
            x = ops.stop_gradient(x)
            one = (*one, ops.concat((self.one2one_cv2[level](x), self.one2one_cv3[level](x)), 1))
        if not self.decodes or self.training:
            return many, one
        return self.best(self.decoder(one, self.dfl)), (many, one)
