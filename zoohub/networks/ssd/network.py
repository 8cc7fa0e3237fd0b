"""SSD on six backbones, as the MindSpore models repository publishes it.

Source: Liu et al., "SSD: Single Shot MultiBox Detector" (2016), in the forms of the models
repository (official/cv/ssd, research/cv/ssd_mobilenetV2, research/cv/ssd_mobilenetV2_FPNlite),
whose parameter names these are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.default_boxes import (
    DefaultLevel,
    OffsetBoxes,
    octave_levels,
    scaled_levels,
)
from zoohub.networks.ssd.backbones import (
    VGG16,
    MobileNetV1Only,
    MobileNetV1Pyramid,
    MobileNetV2,
    MobileNetV2Pyramid,
    ResNet34Maps,
    ResNet50Pyramid,
)
from zoohub.networks.ssd.heads import ConvNormReLU6, InvertedResidual, MultiBox, SharedMultiBox

_BOXES_PER_CELL = (3, 6, 6, 6, 6, 6)


class Detector(nn.Cell):
    """(B, in_channels, H, W) -> offsets (B, boxes, 4) and class scores (B, boxes, num_classes).

    In evaluation mode a third output follows: (B, boxes, 4 + classes without the background), the
    boxes that the offsets stand for, as centre, width and height in pixels, and their scores.
    A subclass makes the cells, in the order of checkpoints, and says what the maps are.
    """

    def decode_with(self, levels: Sequence[DefaultLevel], decode: bool) -> None:
        """Say what the offsets are relative to."""
        self.boxes = OffsetBoxes(levels)
        self.decodes = decode

    def maps(self, x: Tensor) -> tuple[Tensor, ...]:
        """What the head reads, from fine to coarse."""
        raise NotImplementedError

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.maps(x)
        offsets, logits = self.multi_box(maps)
        if self.training:
            return offsets, logits
        scores = ops.sigmoid(logits)
        if not self.decodes:
            return offsets, scores
        boxes = ops.concat((self.boxes(offsets, maps), scores[..., 1:]), -1)
        return offsets, scores, boxes


class MobileNetV2SSD(Detector):
    """Maps of 1/16, 1/32 and of four inverted residuals, each of half the size."""

    def __init__(self, in_channels: int, num_classes: int, full_heads: bool) -> None:
        super().__init__()
        channels = (576, 1280, 512, 256, 256, 128)
        self.backbone = MobileNetV2(in_channels)
        hidden = (256, 128, 128, 64)
        self.multi_residual = nn.CellList(
            [
                InvertedResidual(width, out_channels, 2, inner, relu=True)
                for width, out_channels, inner in zip(
                    channels[1:-1], channels[2:], hidden, strict=True
                )
            ]
        )
        self.multi_box = MultiBox(channels, _BOXES_PER_CELL, num_classes, full_heads)

    def maps(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.backbone(x)
        last = maps[1]
        for residual in self.multi_residual:
            last = residual(last)
            maps = (*maps, last)
        return maps


class MobileNetV1SSD(Detector):
    """Maps of 1/16, 1/32 and of four convolutions, each of half the size."""

    def __init__(self, in_channels: int, num_classes: int, full_heads: bool) -> None:
        super().__init__()
        channels = (512, 1024, 512, 256, 256, 128)
        self.multi_box = MultiBox(channels, _BOXES_PER_CELL, num_classes, full_heads)
        self.feature_extractor = MobileNetV1Only(in_channels)
        self.multi_residual = nn.CellList(
            [
                ConvNormReLU6(width, out_channels, 3, 2)
                for width, out_channels in pairwise(channels[1:])
            ]
        )

    def maps(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.feature_extractor(x)
        last = maps[1]
        for conv in self.multi_residual:
            last = conv(last)
            maps = (*maps, last)
        return maps


class ResNet34SSD(Detector):
    """ResNet-34's 1/8 and five smaller maps."""

    def __init__(self, in_channels: int, num_classes: int, full_heads: bool) -> None:
        super().__init__()
        channels = (256, 512, 512, 256, 256, 256)
        self.multi_box = MultiBox(channels, (4, 6, 6, 6, 4, 4), num_classes, full_heads)
        self.feature_extractor = ResNet34Maps(in_channels)

    def maps(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.feature_extractor(x)


class VGG16SSD(Detector):
    """Maps of 1/8, of 1/16 seen widely, and four smaller ones; nothing but convolutions between."""

    def __init__(self, in_channels: int, num_classes: int, full_heads: bool) -> None:
        super().__init__()
        self.backbone = VGG16(in_channels)
        self.b6_1 = conv2d(512, 1024, 3, dilation=6)
        self.b7_1 = conv2d(1024, 1024, 1)
        self.b8_1 = conv2d(1024, 256, 1, padding=1)
        self.b8_2 = conv2d(256, 512, 3, 2, padding=0)
        self.b9_1 = conv2d(512, 128, 1, padding=1)
        self.b9_2 = conv2d(128, 256, 3, 2, padding=0)
        self.b10_1 = conv2d(256, 128, 1)
        self.b10_2 = conv2d(128, 256, 3, padding=0)
        self.b11_1 = conv2d(256, 128, 1)
        self.b11_2 = conv2d(128, 256, 3, padding=0)
        self.drop = nn.Dropout(p=0.5)
        channels = (512, 1024, 512, 256, 256, 256)
        self.multi_box = MultiBox(channels, _BOXES_PER_CELL, num_classes, full_heads)

    def maps(self, x: Tensor) -> tuple[Tensor, ...]:
        fine, x = self.backbone(x)
        seventh = self.drop(self.b7_1(self.drop(self.b6_1(x))))
        eighth = self.b8_2(self.b8_1(seventh))
        ninth = self.b9_2(self.b9_1(eighth))
        tenth = self.b10_2(self.b10_1(ninth))
        return fine, seventh, eighth, ninth, tenth, self.b11_2(self.b11_1(tenth))


class PyramidSSD(Detector):
    """Five maps of a feature pyramid, 1/8 to 1/128, and a head they share."""

    def __init__(self, extractor: Callable[[], nn.Cell], channels: int, num_classes: int) -> None:
        super().__init__()
        self.multi_box = SharedMultiBox(channels, 5, 6, num_classes)
        self.feature_extractor = extractor()

    def maps(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.feature_extractor(x)


_RATIOS = ((), *((2.0, 3.0),) * 5)
_STEPS_300 = (16, 32, 64, 100, 150, 300)
_OCTAVES = partial(octave_levels, scales=2, ratios=(1.0, 2.0, 0.5))
_LEVELS: dict[str, tuple[DefaultLevel, ...]] = {
    "mobilenet_v1": scaled_levels(300, _STEPS_300, _RATIOS),
    "mobilenet_v2": scaled_levels(300, _STEPS_300, _RATIOS),
    # Its configuration is not among the published ones; a cell is its map's share of the picture.
    "mobilenet_v2 full_heads": scaled_levels(320, (16, 32, 64, 320 / 3, 160, 320), _RATIOS),
    "vgg16": scaled_levels(300, (8, 16, 32, 64, 100, 300), _RATIOS),
    "resnet34": scaled_levels(
        300, (7, 15, 30, 60, 100, 300), ((2.0,), *((2.0, 3.0),) * 3, (2.0,), (2.0,))
    ),
    "mobilenet_v1_fpn": _OCTAVES((8, 16, 32, 64, 128)),
    "resnet50_fpn": _OCTAVES((8, 16, 32, 64, 128)),
    # The last step is the publisher's.
    "mobilenet_v2_fpnlite": scaled_levels(320, (8, 16, 32, 64, 108), ((2.0, 3.0),) * 5),
}

_PYRAMIDS: dict[str, tuple[Callable[[int], nn.Cell], int]] = {
    "mobilenet_v1_fpn": (MobileNetV1Pyramid, 256),
    "resnet50_fpn": (ResNet50Pyramid, 256),
    "mobilenet_v2_fpnlite": (MobileNetV2Pyramid, 32),
}
_PLAIN = {
    "mobilenet_v2": MobileNetV2SSD,
    "vgg16": VGG16SSD,
    "mobilenet_v1": MobileNetV1SSD,
    "resnet34": ResNet34SSD,
}


def ssd(
    backbone: str = "mobilenet_v2",
    num_classes: int = 81,
    in_channels: int = 3,
    full_heads: bool = False,
    decode: bool = True,
) -> Detector:
    """SSD: float32 (B, in_channels, H, W) -> offsets (B, boxes, 4), class scores (B, boxes, C).

    Offsets are as in `OffsetBoxes`, by map from fine to coarse; scores are sigmoids, the
    background's first. In training mode the scores are logits; in evaluation mode the decoded boxes
    follow, see `Detector`.

    Args:
        backbone: "mobilenet_v2", "vgg16", "mobilenet_v1" and "resnet34", trained on 300×300 pixels
            (1917, 7308, 1917 and 8732 boxes); "mobilenet_v1_fpn" and "resnet50_fpn", on 640×640
            (51150); "mobilenet_v2_fpnlite", on 320×320 (12804).
        num_classes: classes, the background among them.
        in_channels: channels of the picture.
        full_heads: the heads' 3×3 convolutions see all channels (without a pyramid).
        decode: False leaves the decoded boxes out.

    Raises:
        ValueError: an unknown backbone.
    """
    detector: Detector
    if backbone in _PYRAMIDS:
        extractor, channels = _PYRAMIDS[backbone]
        detector = PyramidSSD(lambda: extractor(in_channels), channels, num_classes)
    elif backbone in _PLAIN:
        detector = _PLAIN[backbone](in_channels, num_classes, full_heads)
    else:
        known = ", ".join((*_PLAIN, *_PYRAMIDS))
        raise ValueError(f"ssd has backbones {known}, not {backbone!r}")
    full = f"{backbone} full_heads"
    detector.decode_with(_LEVELS[full if full_heads and full in _LEVELS else backbone], decode)
    return detector
