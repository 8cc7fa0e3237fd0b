"""RetinaFace on ResNet-50, as the MindSpore models repository publishes it.

Source: Deng et al., "RetinaFace: Single-stage Dense Face Localisation in the Wild" (2019), in the
form of the models repository (official/cv/retinaface_resnet50), whose parameter names these are.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.default_boxes import DefaultLevel, OffsetBoxes, OffsetPoints, flatten
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.resnet.network import resnet

_CHANNELS = 256
_BOXES_PER_CELL = 2
_POINTS = 5  # the eyes, the nose, the corners of the mouth
_LEVELS = tuple(
    DefaultLevel(step, ((side, side), (2.0 * side, 2.0 * side)))
    for step, side in ((8, 16.0), (16, 64.0), (32, 256.0))
)


class TopLeftPool(nn.Cell):
    """Max pooling of 3×3 to half of the size, with one row and column of zeros before the first."""

    def __init__(self) -> None:
        super().__init__()
        self.pad = nn.Pad(((0, 0), (0, 0), (1, 0), (1, 0)))
        self.pool = nn.MaxPool2d(3, 2)

    def construct(self, x: Tensor) -> Tensor:
        return self.pool(self.pad(x))


def conv(in_channels: int, channels: int, kernel: int, rectify: bool = True) -> nn.SequentialCell:
    """Convolution, batch norm, and a ReLU unless told otherwise."""
    last = [nn.ReLU()] if rectify else []
    layers = [conv2d(in_channels, channels, kernel), BatchNorm2d(channels), *last]
    return nn.SequentialCell(layers)


class Pyramid(nn.Cell):
    """Maps of 512, 1024 and 2048 channels -> three of 256 that have seen the coarser ones."""

    def __init__(self) -> None:
        super().__init__()
        self.output1 = conv(512, _CHANNELS, 1)
        self.output2 = conv(1024, _CHANNELS, 1)
        self.output3 = conv(2048, _CHANNELS, 1)
        self.merge1 = conv(_CHANNELS, _CHANNELS, 3)
        self.merge2 = conv(_CHANNELS, _CHANNELS, 3)

    def construct(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> tuple[Tensor, ...]:
        one, two, three = self.output1(fine), self.output2(middle), self.output3(coarse)
        two = self.merge2(two + ops.interpolate(three, two.shape[2:], mode="nearest"))
        one = self.merge1(one + ops.interpolate(two, one.shape[2:], mode="nearest"))
        return one, two, three


class Context(nn.Cell):
    """A map seen through windows of 3, 5 and 7 pixels, side by side (SSH)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half, quarter = channels // 2, channels // 4
        self.conv3X3 = conv(channels, half, 3, rectify=False)
        self.conv5X5_1 = conv(channels, quarter, 3)
        self.conv5X5_2 = conv(quarter, quarter, 3, rectify=False)
        self.conv7X7_2 = conv(quarter, quarter, 3)
        self.conv7X7_3 = conv(quarter, quarter, 3, rectify=False)

    def construct(self, x: Tensor) -> Tensor:
        wide = self.conv5X5_1(x)
        views = (self.conv3X3(x), self.conv5X5_2(wide), self.conv7X7_3(self.conv7X7_2(wide)))
        return ops.relu(ops.concat(views, 1))


class Head(nn.Cell):
    """`width` values for each default box: (B, 256, H, W) -> (B, 2·width, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1x1 = conv2d(_CHANNELS, _BOXES_PER_CELL * width, 1, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        return self.conv1x1(x)


def heads(width: int) -> nn.CellList:
    """One a level."""
    return nn.CellList([Head(width) for _ in _LEVELS])


class RetinaFace(nn.Cell):
    """(B, in_channels, H, W) -> offsets, scores, landmarks, and what they stand for."""

    def __init__(self, in_channels: int, decode: bool) -> None:
        super().__init__()
        # Its classifier is in the files, and no one asks it.
        self.base = resnet(50, 1001, in_channels)
        self.base.max_pool = TopLeftPool()
        self.base.out_indices = (2, 3, 4)
        self.fpn = Pyramid()
        self.ssh1 = Context(_CHANNELS)
        self.ssh2 = Context(_CHANNELS)
        self.ssh3 = Context(_CHANNELS)
        self.ClassHead = heads(2)
        self.BboxHead = heads(4)
        self.LandmarkHead = heads(2 * _POINTS)
        self.boxes = OffsetBoxes(_LEVELS, x_first=True)
        self.points = OffsetPoints(_LEVELS, _POINTS)
        self.decodes = decode

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        fine, middle, coarse = self.base(x)
        one, two, three = self.fpn(fine, middle, coarse)
        maps = (self.ssh1(one), self.ssh2(two), self.ssh3(three))
        offsets = self.rows(self.BboxHead, maps, 4)
        logits = self.rows(self.ClassHead, maps, 2)
        landmarks = self.rows(self.LandmarkHead, maps, 2 * _POINTS)
        if self.training:
            return offsets, logits, landmarks
        scores = ops.softmax(logits, -1)
        if not self.decodes:
            return offsets, scores, landmarks
        boxes = ops.concat((self.boxes(offsets, maps), scores[..., 1:]), -1)
        return offsets, scores, landmarks, boxes, self.points(landmarks, maps)

    def rows(self, layers: Sequence[nn.Cell], maps: tuple[Tensor, ...], width: int) -> Tensor:
        """What a head says of every default box: (B, boxes, width)."""
        parts: tuple[Tensor, ...] = ()
        for level, layer in enumerate(layers):
            parts = (*parts, layer(maps[level]))
        return flatten(parts, width)


def retinaface(in_channels: int = 3, decode: bool = True) -> RetinaFace:
    """RetinaFace: float32 (B, in_channels, H, W), BGR less (104, 117, 123) -> faces.

    In evaluation mode returns offsets (B, boxes, 4) as in `OffsetBoxes` but x first, scores (B,
    boxes, 2) of no face and of a face, landmarks (B, boxes, 10) as in `OffsetPoints`, the decoded
    boxes (B, boxes, 5): centre, width, height in pixels and the score, and the decoded points (B,
    boxes, 10): x and y in pixels of the eyes, the nose and the corners of the mouth. Two boxes a
    cell at 1/8, 1/16 and 1/32.

    Args:
        in_channels: channels of the picture.
        decode: False leaves the decoded boxes and points out.
    """
    return RetinaFace(in_channels, decode)
