"""EAST: where text is in a picture, as a box turned about each of its pixels.

Source: Zhou et al., "EAST: An Efficient and Accurate Scene Text Detector" (2017), as MindOCR has
it, whose parameter names these are, and on VGG-16 as official/cv/east of the MindSpore models
repository does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi

from mindspore import Tensor, nn, ops

from zoohub.networks.dbnet.backbones import text_backbone
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.corner_resize import CornerResize
from zoohub.networks.layers.norm import BatchNorm2d, BatchStatistics

_BACKBONES = ("resnet50", "mobilenet_v3")
_CHANNELS = 128  # of the map that the heads read
# Channels of VGG-16's stages and their convolutions, and of what its maps are merged into
_VGG = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
_VGG_MERGED = (128, 64, 32, 32)
_REACH = 512.0  # pixels that a side may be away


class Merge(nn.Cell):
    """Four maps from 1/4 to 1/32 -> one at 1/4, merged from the coarsest on.

    `channels` are those after each of three merges, and of the map that is given.
    """

    def __init__(
        self,
        widths: Sequence[int],
        channels: tuple[int, int, int, int],
        norm: Callable[[int], nn.Cell] = BatchNorm2d,
    ) -> None:
        super().__init__()
        finest, fine, middle, coarse = widths
        first, second, third, last = channels
        stages = ((coarse + middle, first), (first + fine, second), (second + finest, third))
        for stage, (inputs, width) in enumerate(stages):
            one, three = 2 * stage + 1, 2 * stage + 2
            # The publisher forgot the last one's bias.
            bias = stage < len(stages) - 1
            setattr(self, f"conv{one}", conv2d(inputs, width, 1, bias=bias))
            setattr(self, f"bn{one}", norm(width))
            setattr(self, f"conv{three}", conv2d(width, width, 3, bias=True))
            setattr(self, f"bn{three}", norm(width))
        self.conv7 = conv2d(third, last, 3, bias=True)
        self.bn7 = norm(last)
        self.spread = CornerResize("bilinear")

    def construct(self, maps: tuple[Tensor, ...]) -> Tensor:
        finest, fine, middle, x = maps
        x = ops.concat((self.spread(x, middle), middle), 1)
        x = ops.relu(self.bn1(self.conv1(x)))
        x = ops.relu(self.bn2(self.conv2(x)))
        x = ops.concat((self.spread(x, fine), fine), 1)
        x = ops.relu(self.bn3(self.conv3(x)))
        x = ops.relu(self.bn4(self.conv4(x)))
        x = ops.concat((self.spread(x, finest), finest), 1)
        x = ops.relu(self.bn5(self.conv5(x)))
        x = ops.relu(self.bn6(self.conv6(x)))
        return ops.relu(self.bn7(self.conv7(x)))


class Head(nn.Cell):
    """(B, 128, H, W) -> scores (B, 1, H, W) and boxes (B, 5, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        for branch in (1, 2, 3):
            setattr(self, f"branch{branch}_det_conv1", conv2d(_CHANNELS, 128, 3, bias=True))
            setattr(self, f"branch{branch}_det_bn1", BatchNorm2d(128))
            setattr(self, f"branch{branch}_det_conv2", conv2d(128, 64, 3, bias=True))
            setattr(self, f"branch{branch}_det_bn2", BatchNorm2d(64))
        self.conv1 = conv2d(64, 1, 1)
        self.conv2 = conv2d(64, 4, 1)
        self.conv3 = conv2d(64, 1, 1)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        score = ops.relu(self.branch1_det_bn1(self.branch1_det_conv1(x)))
        score = ops.relu(self.branch1_det_bn2(self.branch1_det_conv2(score)))
        sides = ops.relu(self.branch2_det_bn1(self.branch2_det_conv1(x)))
        sides = ops.relu(self.branch2_det_bn2(self.branch2_det_conv2(sides)))
        angle = ops.relu(self.branch3_det_bn1(self.branch3_det_conv1(x)))
        angle = ops.relu(self.branch3_det_bn2(self.branch3_det_conv2(angle)))
        away = _REACH * ops.sigmoid(self.conv2(sides))
        turned = pi * (ops.sigmoid(self.conv3(angle)) - 0.5)
        return ops.sigmoid(self.conv1(score)), ops.concat((away, turned), 1)


class VGG16(nn.Cell):
    """-> 1/4 (128), 1/8 (256), 1/16 (512) and 1/32 (512)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        width = in_channels
        for stage, (channels, count) in enumerate(_VGG, start=1):
            for place in range(1, count + 1):
                layers = [conv2d(width, channels, 3), BatchStatistics(channels), nn.ReLU()]
                setattr(self, f"conv{stage}_{place}", nn.SequentialCell(layers))
                width = channels
        self.halve = nn.MaxPool2d(2, 2)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = self.halve(self.conv1_2(self.conv1_1(x)))
        finest = self.halve(self.conv2_2(self.conv2_1(x)))
        fine = self.halve(self.conv3_3(self.conv3_2(self.conv3_1(finest))))
        middle = self.halve(self.conv4_3(self.conv4_2(self.conv4_1(fine))))
        coarse = self.halve(self.conv5_3(self.conv5_2(self.conv5_1(middle))))
        return finest, fine, middle, coarse


class PlainHead(nn.Cell):
    """`Head` without convolutions of its own: (B, 32, H, W) -> scores and boxes."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv2d(channels, 1, 1)
        self.conv2 = conv2d(channels, 4, 1)
        self.conv3 = conv2d(channels, 1, 1)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        away = _REACH * ops.sigmoid(self.conv2(x))
        turned = pi * (ops.sigmoid(self.conv3(x)) - 0.5)
        return ops.sigmoid(self.conv1(x)), ops.concat((away, turned), 1)


class EAST(nn.Cell):
    """See `east`."""

    def __init__(self, backbone: nn.Cell, neck: nn.Cell, head: nn.Cell) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.head = head

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.head(self.neck(self.backbone(x)))


def east(backbone: str = "resnet50", in_channels: int = 3) -> EAST:
    """EAST: float32 (B, in_channels, H, W) -> scores (B, 1, h, w) and boxes (B, 5, h, w), at 1/4.

    A score from 0 to 1 is of text at that pixel; its box is four distances to its sides, 0 to 512
    pixels of the picture (MindOCR: upper, lower, left, right), and the angle, from -π/2 to π/2. H
    and W are multiples of 32.

    Args:
        backbone: "resnet50" or "mobilenet_v3" (at half its width), MindOCR's, or "vgg16", the
            models repository's, whose batch norms take the batch's statistics always.
        in_channels: channels of the picture.

    Raises:
        ValueError: an unknown backbone.
    """
    if backbone == "vgg16":
        widths = tuple(channels for channels, _ in _VGG[1:])
        neck = Merge(widths, _VGG_MERGED, BatchStatistics)
        return EAST(VGG16(in_channels), neck, PlainHead(_VGG_MERGED[-1]))
    body, widths = text_backbone("east", backbone, in_channels, (*_BACKBONES, "vgg16"))
    _, fine, middle, coarse = widths
    return EAST(body, Merge(widths, (coarse // 4, middle // 4, fine // 4, _CHANNELS)), Head())
