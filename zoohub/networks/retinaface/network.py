"""RetinaFace on ResNet-50 and on a quarter of MobileNetV1.

Source: Deng et al., "RetinaFace: Single-stage Dense Face Localisation in the Wild" (2019), in the
form of the MindSpore models repository (official/cv/retinaface_resnet50), whose parameter names
these are, and of MindFace.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.corner_resize import RepeatPixels
from zoohub.networks.layers.default_boxes import DefaultLevel, OffsetBoxes, OffsetPoints, flatten
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.mobilenet_v1.network import mobilenet_v1
from zoohub.networks.resnet.network import resnet

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


def conv(in_channels: int, channels: int, kernel: int, leak: float | None) -> nn.SequentialCell:
    """Convolution, batch norm, and a ReLU that leaks so much; None: no ReLU."""
    last = [] if leak is None else [nn.LeakyReLU(leak) if leak else nn.ReLU()]
    layers = [conv2d(in_channels, channels, kernel), BatchNorm2d(channels), *last]
    return nn.SequentialCell(layers)


class Pyramid(nn.Cell):
    """Three maps of `widths` channels -> as many of `channels` that have seen the coarser ones."""

    def __init__(self, widths: Sequence[int], channels: int, leak: float) -> None:
        super().__init__()
        self.output1 = conv(widths[0], channels, 1, leak)
        self.output2 = conv(widths[1], channels, 1, leak)
        self.output3 = conv(widths[2], channels, 1, leak)
        self.merge1 = conv(channels, channels, 3, leak)
        self.merge2 = conv(channels, channels, 3, leak)
        self.repeat = RepeatPixels()

    def construct(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> tuple[Tensor, ...]:
        one, two, three = self.output1(fine), self.output2(middle), self.output3(coarse)
        two = self.merge2(two + self.repeat(three, two))
        one = self.merge1(one + self.repeat(two, one))
        return one, two, three


class Context(nn.Cell):
    """A map seen through windows of 3, 5 and 7 pixels, side by side (SSH)."""

    def __init__(self, channels: int, leak: float) -> None:
        super().__init__()
        half, quarter = channels // 2, channels // 4
        self.conv3X3 = conv(channels, half, 3, None)
        self.conv5X5_1 = conv(channels, quarter, 3, leak)
        self.conv5X5_2 = conv(quarter, quarter, 3, None)
        self.conv7X7_2 = conv(quarter, quarter, 3, leak)
        self.conv7X7_3 = conv(quarter, quarter, 3, None)

    def construct(self, x: Tensor) -> Tensor:
        wide = self.conv5X5_1(x)
        views = (self.conv3X3(x), self.conv5X5_2(wide), self.conv7X7_3(self.conv7X7_2(wide)))
        return ops.relu(ops.concat(views, 1))


class Head(nn.Cell):
    """`width` values for each default box: (B, channels, H, W) -> (B, 2·width, H, W)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv1x1 = conv2d(channels, _BOXES_PER_CELL * width, 1, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        return self.conv1x1(x)


def heads(channels: int, width: int) -> nn.CellList:
    """One a level."""
    return nn.CellList([Head(channels, width) for _ in _LEVELS])


def resnet_base(in_channels: int) -> nn.Cell:
    """ResNet-50 -> maps at 1/8, 1/16 and 1/32."""
    # Its classifier is in the files, and no one asks it.
    net = resnet(50, 1001, in_channels)
    net.max_pool = TopLeftPool()
    net.out_indices = (2, 3, 4)
    return net


def mobile_base(in_channels: int) -> nn.Cell:
    """MobileNetV1 of a quarter of the width -> maps at 1/8, 1/16 and 1/32."""
    return mobilenet_v1(
        0.25,
        in_channels=in_channels,
        activation="leaky_relu",
        features_only=True,
        out_indices=(2, 3, 4),
    )


class RetinaFace(nn.Cell):
    """(B, in_channels, H, W) -> offsets, scores, landmarks, and what they stand for."""

    def __init__(
        self, base: nn.Cell, widths: Sequence[int], channels: int, leak: float, decode: bool
    ) -> None:
        super().__init__()
        self.base = base
        self.fpn = Pyramid(widths, channels, leak)
        self.ssh1 = Context(channels, leak)
        self.ssh2 = Context(channels, leak)
        self.ssh3 = Context(channels, leak)
        self.ClassHead = heads(channels, 2)
        self.BboxHead = heads(channels, 4)
        self.LandmarkHead = heads(channels, 2 * _POINTS)
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


def retinaface(in_channels: int = 3, decode: bool = True, backbone: str = "resnet50") -> RetinaFace:
    """RetinaFace: float32 (B, in_channels, H, W), BGR less (104, 117, 123) -> faces.

    In evaluation mode returns offsets (B, boxes, 4) as in `OffsetBoxes` but x first, scores (B,
    boxes, 2) of no face and of a face, landmarks (B, boxes, 10) as in `OffsetPoints`, the decoded
    boxes (B, boxes, 5): centre, width, height in pixels and the score, and the decoded points (B,
    boxes, 10): x and y in pixels of the eyes, the nose and the corners of the mouth. Two boxes a
    cell at 1/8, 1/16 and 1/32.

    Args:
        in_channels: channels of the picture.
        decode: False leaves the decoded boxes and points out.
        backbone: "resnet50", or "mobilenet025", which sees maps of 64 channels in place of 256.

    Raises:
        ValueError: an unknown backbone.
    """
    if backbone == "resnet50":
        return RetinaFace(resnet_base(in_channels), (512, 1024, 2048), 256, 0.0, decode)
    if backbone == "mobilenet025":
        return RetinaFace(mobile_base(in_channels), (64, 128, 256), 64, 0.1, decode)
    raise ValueError(f"retinaface has backbones resnet50 and mobilenet025, not {backbone!r}")
