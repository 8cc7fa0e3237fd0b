"""RefineDet on VGG-16: a first look says where objects are, a second one what they are.

Source: Zhang et al., "Single-Shot Refinement Neural Network for Object Detection" (2018), in the
form of research/cv/RefineDet of the MindSpore models repository, whose parameter names these are.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.default_boxes import OffsetBoxes, scaled_levels
from zoohub.networks.ssd.backbones import VGG16
from zoohub.networks.ssd.heads import MultiBox

_CHANNELS = 256  # of the maps of the second look
_WIDTHS = (512, 512, 1024, 512)  # of those of the first
_BOXES_PER_CELL = (3, 3, 3, 3)
_LEVELS = scaled_levels(320, (8, 16, 32, 64), ((), (2.0,), (2.0,), (2.0,)), between=False)
_SCALES: tuple[float | None, ...] = (10.0, 8.0, None, None)


class Backbone(VGG16):
    """-> 1/8 (512), 1/16 (512), 1/32 (1024) and 1/64 (512)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(in_channels)
        self.fc6 = conv2d(512, 1024, 3, dilation=3)
        self.fc7 = conv2d(1024, 1024, 1)
        self.b6_1 = nn.SequentialCell([conv2d(1024, 256, 1), nn.ReLU()])
        self.b6_2 = nn.SequentialCell([conv2d(256, 512, 3, 2), nn.ReLU()])

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.b3(self.halve(self.b2(self.halve(self.b1(x)))))
        fine = self.b4(self.halve(x))
        middle = self.b5(self.halve(fine))
        coarse = self.fc7(ops.relu(self.fc6(self.halve(middle))))
        return fine, middle, coarse, self.b6_2(self.b6_1(ops.relu(coarse)))


class ScaledNorm(nn.Cell):
    """Each pixel's channels divided by their length, times a learnt weight: (B, C, H, W)."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.weight = Parameter(initializer(scale, (channels,)), name="weight")

    def construct(self, x: Tensor) -> Tensor:
        length = ops.sqrt(ops.maximum(ops.sum(x * x, 1, keepdim=True), 1e-10))
        return ops.reshape(self.weight, (1, -1, 1, 1)) * (x / length)


class Transfer(nn.Cell):
    """The maps of the first look -> those of the second, each having seen the coarser ones."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        last = len(widths) - 1
        own, smooth, spread = [], [], []
        for level, (width, scale) in enumerate(zip(widths, _SCALES, strict=True)):
            layers: list[nn.Cell] = [] if scale is None else [ScaledNorm(width, scale)]
            layers += [conv2d(width, _CHANNELS, 3), nn.ReLU()]
            if level < last:
                layers.append(conv2d(_CHANNELS, _CHANNELS, 3))
                up = nn.Conv2dTranspose(_CHANNELS, _CHANNELS, 2, 2, "pad", 0)
                spread.append(nn.SequentialCell([up, nn.ReLU()]))
            own.append(nn.SequentialCell(layers))
            pair = [cell for _ in range(2) for cell in (conv2d(_CHANNELS, _CHANNELS, 3), nn.ReLU())]
            smooth.append(nn.SequentialCell(pair))
        self.own = nn.CellList(own)
        self.spread = nn.CellList(spread)
        self.smooth = nn.CellList(smooth)

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        last = len(maps) - 1
        above = self.smooth[last](self.own[last](maps[last]))
        made: tuple[Tensor, ...] = (above,)
        for step in range(1, last + 1):
            level = last - step
            above = self.smooth[level](self.own[level](maps[level]) + self.spread[level](above))
            made = (above, *made)
        return made


class RefineDet(nn.Cell):
    """See `refinedet`."""

    def __init__(self, num_classes: int, in_channels: int, decode: bool) -> None:
        super().__init__()
        self.backbone = Backbone(in_channels)
        self.arm = MultiBox(_WIDTHS, _BOXES_PER_CELL, 2)
        self.odm = MultiBox((_CHANNELS,) * len(_WIDTHS), _BOXES_PER_CELL, num_classes)
        self.tcb = Transfer(_WIDTHS)
        self.boxes = OffsetBoxes(_LEVELS)
        self.decodes = decode

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.backbone(x)
        first_offsets, first = self.arm(maps)
        offsets, second = self.odm(self.tcb(maps))
        if self.training:
            return (first_offsets, first, offsets, second, *maps)
        scores = ops.sigmoid(second)
        raw = (first_offsets, ops.sigmoid(first), offsets, scores, *maps)
        if not self.decodes:
            return raw
        return (*raw, ops.concat((self.boxes(offsets, maps), scores[..., 1:]), -1))


def refinedet(num_classes: int = 81, in_channels: int = 3, decode: bool = True) -> RefineDet:
    """RefineDet: float32 (B, in_channels, H, W) -> boxes; trained on 320×320 pixels (6375 boxes).

    Returns of the first look offsets (B, boxes, 4) as in `OffsetBoxes` and scores (B, boxes, 2),
    the background's first; of the second offsets and scores (B, boxes, num_classes); and the maps
    at 1/8, 1/16, 1/32 and 1/64 that the first one read. Scores are sigmoids, in training mode
    logits. In evaluation mode the decoded boxes (B, boxes, 4 + num_classes - 1) follow: centre,
    width and height in pixels, and scores from 0 to 1 without the background. As in the publisher's
    evaluation they are the second look's alone: its offsets are read from the default boxes, and
    his threshold of 0.01 on a softmax of the first look's scores lets every box through. H and W
    are multiples of 64.

    Args:
        num_classes: classes, the background among them.
        in_channels: channels of the picture.
        decode: False leaves the decoded boxes out.
    """
    return RefineDet(num_classes, in_channels, decode)
