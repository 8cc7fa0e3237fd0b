"""SSD on ten backbones, as the MindSpore models repository publishes it.

Source: Liu et al., "SSD: Single Shot MultiBox Detector" (2016), in the forms of the models
repository (official/cv/ssd and research/cv/ssd_*), whose parameter names these are. Of
ssd_resnet50 the table is known and its program for inference, but no output to compare with.
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
from zoohub.networks.ssd import inception
from zoohub.networks.ssd.backbones import (
    VGG16,
    MobileNetV1Only,
    MobileNetV1Pyramid,
    MobileNetV2,
    MobileNetV2Pyramid,
    ResNet34Maps,
    ResNet50Extra,
    ResNet50Pyramid,
)
from zoohub.networks.ssd.ghostnet import GhostNet
from zoohub.networks.ssd.heads import ConvNorm, InvertedResidual, MultiBox, SharedMultiBox

_BOXES_PER_CELL = (3, 6, 6, 6, 6, 6)


class Detector(nn.Cell):
    """(B, in_channels, H, W) -> offsets (B, boxes, 4) and class scores (B, boxes, num_classes).

    In evaluation mode a third output follows: (B, boxes, 4 + classes without the background), the
    boxes that the offsets stand for, as centre, width and height in pixels, and their scores.
    A subclass makes the cells, in the order of checkpoints, and says what the maps are. One whose
    publisher `gives_logits` has these in place of the class scores.
    """

    gives_logits = False

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
        given = logits if self.gives_logits else scores
        if not self.decodes:
            return offsets, given
        boxes = ops.concat((self.boxes(offsets, maps), scores[..., 1:]), -1)
        return offsets, given, boxes


class ResidualSSD(Detector):
    """Maps of 1/16, 1/32 and of four inverted residuals, each of half the size.

    `channels` are the backbone's two maps', `hidden` those inside of each residual.
    """

    def __init__(
        self,
        backbone: nn.Cell,
        channels: tuple[int, int],
        hidden: Sequence[int],
        act: Callable[[], nn.Cell],
        num_classes: int,
        full_heads: bool,
    ) -> None:
        super().__init__()
        widths = (*channels, 512, 256, 256, 128)
        self.backbone = backbone
        self.multi_residual = nn.CellList(
            [
                InvertedResidual(width, out_channels, 2, inner, relu=True, act=act)
                for width, out_channels, inner in zip(widths[1:-1], widths[2:], hidden, strict=True)
            ]
        )
        self.multi_box = MultiBox(widths, _BOXES_PER_CELL, num_classes, full_heads)

    def maps(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.backbone(x)
        last = maps[1]
        for residual in self.multi_residual:
            last = residual(last)
            maps = (*maps, last)
        return maps


def mobilenet_v2_ssd(in_channels: int, num_classes: int, full_heads: bool) -> Detector:
    """SSD on MobileNetV2."""
    backbone, hidden = MobileNetV2(in_channels), (256, 128, 128, 64)
    return ResidualSSD(backbone, (576, 1280), hidden, nn.ReLU6, num_classes, full_heads)


def ghostnet_ssd(in_channels: int, num_classes: int, full_heads: bool) -> Detector:
    """SSD on GhostNet."""
    backbone, hidden = GhostNet(in_channels), (250, 128, 128, 64)
    return ResidualSSD(backbone, (864, 1248), hidden, nn.ReLU, num_classes, full_heads)


class InceptionV2SSD(Detector):
    """Maps of 1/16, 1/32 and of four pairs of convolutions, each of half the size."""

    gives_logits = True

    def __init__(self, in_channels: int, num_classes: int, full_heads: bool) -> None:
        super().__init__()
        self.multi_box = MultiBox(inception.MAPS, _BOXES_PER_CELL, num_classes, full_heads)
        self.feature_extractor = inception.InceptionV2(in_channels)
        self.halvings = inception.halvings()

    def maps(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.feature_extractor(x)
        last = maps[1]
        for halve in self.halvings:
            last = halve(last)
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
            [ConvNorm(width, out_channels, 3, 2) for width, out_channels in pairwise(channels[1:])]
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


class ResNet50SSD(Detector):
    """ResNet-50's maps from 1/8 to 1/32 and two smaller ones; six boxes in every cell."""

    def __init__(self, in_channels: int, num_classes: int, full_heads: bool) -> None:
        super().__init__()
        channels = (512, 1024, 512, 256, 256)
        self.multi_box = MultiBox(channels, (6,) * len(channels), num_classes, full_heads)
        self.feature_extractor = ResNet50Extra(in_channels)

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
    "ghostnet": scaled_levels(300, _STEPS_300, _RATIOS),
    "inception_v2": scaled_levels(300, _STEPS_300, _RATIOS),
    # Its configuration is not among the published ones; a cell is its map's share of the picture.
    "mobilenet_v2 full_heads": scaled_levels(320, (16, 32, 64, 320 / 3, 160, 320), _RATIOS),
    "vgg16": scaled_levels(300, (8, 16, 32, 64, 100, 300), _RATIOS),
    "resnet34": scaled_levels(
        300, (7, 15, 30, 60, 100, 300), ((2.0,), *((2.0, 3.0),) * 3, (2.0,), (2.0,))
    ),
    "mobilenet_v1_fpn": _OCTAVES((8, 16, 32, 64, 128)),
    "resnet50_fpn": _OCTAVES((8, 16, 32, 64, 128)),
    # Its program for inference reads boxes as that of `mobilenet_v1_fpn` does.
    "resnet50": _OCTAVES((8, 16, 32, 64, 128)),
    # The last step is the publisher's.
    "mobilenet_v2_fpnlite": scaled_levels(320, (8, 16, 32, 64, 108), ((2.0, 3.0),) * 5),
}

_PYRAMIDS: dict[str, tuple[Callable[[int], nn.Cell], int]] = {
    "mobilenet_v1_fpn": (MobileNetV1Pyramid, 256),
    "resnet50_fpn": (ResNet50Pyramid, 256),
    "mobilenet_v2_fpnlite": (MobileNetV2Pyramid, 32),
}
_PLAIN: dict[str, Callable[[int, int, bool], Detector]] = {
    "mobilenet_v2": mobilenet_v2_ssd,
    "vgg16": VGG16SSD,
    "mobilenet_v1": MobileNetV1SSD,
    "resnet34": ResNet34SSD,
    "ghostnet": ghostnet_ssd,
    "inception_v2": InceptionV2SSD,
    "resnet50": ResNet50SSD,
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
    background's first. In training mode, and of "inception_v2", they are logits; in evaluation
    mode the decoded boxes follow, see `Detector`.

    Args:
        backbone: "mobilenet_v2", "vgg16", "mobilenet_v1", "resnet34", "ghostnet" and
            "inception_v2", trained on 300×300 pixels (1917, 7308, 1917, 8732, 1917 and 1917
            boxes); "mobilenet_v1_fpn", "resnet50_fpn" and "resnet50", on 640×640 (51150);
            "mobilenet_v2_fpnlite", on 320×320 (12804).
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
