"""RetinaNet on ResNet-50, 101 and 152, as the MindSpore models repository publishes it.

Source: Lin et al., "Focal Loss for Dense Object Detection" (2017), in the form of the models
repository (official/cv/retinanet, research/cv/retinanet_resnet101, research/cv/nas-fpn), whose
parameter names these are. Its ResNet rectifies both terms of each sum, but for NAS-FPN's, and its
five heads share no weights.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.corner_resize import RepeatPixels
from zoohub.networks.layers.default_boxes import OffsetBoxes, flatten, octave_levels
from zoohub.networks.layers.residual import BottleneckBlock, Numerics, blocks_of
from zoohub.networks.resnet.network import ResNet
from zoohub.networks.retinanet.nas_pyramid import NasPyramid

_DEPTHS = (50, 101, 152)
_NUMERICS = {
    "plain": Numerics("same", "same", rectified_sum=True),
    "nas": Numerics("same", "same", bn_eps=1e-3, outer_bn_eps=1e-3),
}
_LEVELS = octave_levels((8, 16, 32, 64, 128), scales=3, ratios=(0.5, 1.0, 2.0))
_BOXES_PER_CELL = 9
_CHANNELS = 256


class Pyramid(nn.Cell):
    """(B, in_channels, H, W) -> five maps from 1/8 to 1/128, of 256 channels."""

    def __init__(self, backbone: nn.Cell, widths: tuple[int, int, int]) -> None:
        super().__init__()
        self.backbone = backbone
        fine, middle, coarse = widths
        self.P5_1 = conv2d(coarse, _CHANNELS, 1)
        self.P5_2 = conv2d(_CHANNELS, _CHANNELS, 3)
        self.P4_1 = conv2d(middle, _CHANNELS, 1)
        self.P4_2 = conv2d(_CHANNELS, _CHANNELS, 3)
        self.P3_1 = conv2d(fine, _CHANNELS, 1)
        self.P3_2 = conv2d(_CHANNELS, _CHANNELS, 3)
        self.P6_0 = conv2d(coarse, _CHANNELS, 3, 2, "same")
        self.P7_2 = conv2d(_CHANNELS, _CHANNELS, 3, 2, "same")
        self.repeat = RepeatPixels()

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        fine, middle, coarse = self.backbone(x)
        p5 = self.P5_1(coarse)
        p4 = self.P4_1(middle) + self.repeat(p5, middle)
        p3 = self.P3_1(fine) + self.repeat(p4, fine)
        p6 = self.P6_0(coarse)
        p7 = self.P7_2(ops.relu(p6))
        return self.P3_2(p3), self.P4_2(p4), self.P5_2(p5), p6, p7


def tower(outputs: int) -> nn.SequentialCell:
    """Four 3×3 convolutions with ReLU and a last one: (B, 256, H, W) -> (B, outputs, H, W)."""
    layers: list[nn.Cell] = []
    for _ in range(4):
        layers += [conv2d(_CHANNELS, _CHANNELS, 3), nn.ReLU()]
    return nn.SequentialCell([*layers, conv2d(_CHANNELS, outputs, 3)])


class Heads(nn.Cell):
    """Two towers a map: (B, boxes, 4) offsets and (B, boxes, num_classes) logits."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        levels = range(len(_LEVELS))
        self.multi_loc_layers = nn.CellList([tower(4 * _BOXES_PER_CELL) for _ in levels])
        self.multi_cls_layers = nn.CellList([tower(num_classes * _BOXES_PER_CELL) for _ in levels])

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        offsets: tuple[Tensor, ...] = ()
        logits: tuple[Tensor, ...] = ()
        for level, predict in enumerate(self.multi_loc_layers):
            offsets = (*offsets, predict(maps[level]))
            logits = (*logits, self.multi_cls_layers[level](maps[level]))
        return flatten(offsets, 4), flatten(logits, self.num_classes)


class RetinaNet(nn.Cell):
    """Pyramid, heads, and in evaluation mode the boxes that the offsets stand for."""

    def __init__(self, pyramid: nn.Cell, num_classes: int, decode: bool) -> None:
        super().__init__()
        self.fpn = pyramid
        self.multi_box = Heads(num_classes)
        self.boxes = OffsetBoxes(_LEVELS)
        self.decodes = decode

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.fpn(x)
        offsets, logits = self.multi_box(maps)
        if self.training or not self.decodes:
            return offsets, logits
        scores = ops.sigmoid(logits[..., 1:])
        return offsets, logits, ops.concat((self.boxes(offsets, maps), scores), -1)


_PYRAMIDS = {"plain": Pyramid, "nas": NasPyramid}


def retinanet(
    depth: int = 50,
    num_classes: int = 81,
    in_channels: int = 3,
    decode: bool = True,
    base_channels: int = 64,
    pyramid: str = "plain",
) -> RetinaNet:
    """RetinaNet: float32 (B, in_channels, H, W) -> boxes; trained on 600×600 pixels (67995 boxes),
    NAS-FPN on 640×640 (76725), which takes multiples of 128.

    Returns offsets (B, boxes, 4) as in `OffsetBoxes` and logits (B, boxes, num_classes), the
    background's first. In evaluation mode the decoded boxes (B, boxes, 4 + num_classes - 1) follow:
    centre, width and height in pixels, and scores from 0 to 1 without the background.

    Args:
        depth: 50, 101 or 152.
        num_classes: classes, the background among them.
        in_channels: channels of the picture.
        decode: False leaves the decoded boxes out.
        base_channels: of the backbone's stem; each stage has twice as many.
        pyramid: "plain", or "nas" for NAS-FPN.

    Raises:
        ValueError: an unknown depth or pyramid.
    """
    if pyramid not in _PYRAMIDS:
        raise ValueError(f"retinanet has pyramids {', '.join(_PYRAMIDS)}, not {pyramid!r}")
    backbone = ResNet(
        BottleneckBlock,
        blocks_of("retinanet", depth, _DEPTHS),
        num_classes=0,
        in_channels=in_channels,
        numerics=_NUMERICS[pyramid],
        out_indices=(2, 3, 4),
        base_channels=base_channels,
    )
    widths = (8 * base_channels, 16 * base_channels, 32 * base_channels)
    return RetinaNet(_PYRAMIDS[pyramid](backbone, widths), num_classes, decode)
