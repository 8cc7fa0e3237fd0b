"""EfficientDet-D0, as the MindSpore models repository publishes it.

Source: Tan et al., "EfficientDet: Scalable and Efficient Object Detection" (2019), in the form of
the models repository (research/cv/EfficientDet_d0), whose parameter names these are, but for the
backbone's.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.efficientdet.pyramid import EPS, MOMENTUM, BiFPN, SeparableConv
from zoohub.networks.efficientnet.network import efficientnet
from zoohub.networks.layers.default_boxes import DefaultLevel, OffsetBoxes, flatten
from zoohub.networks.layers.norm import BatchNorm2d

_CHANNELS = 64
_WIDTHS = (40, 112, 320)  # of EfficientNet-B0's maps
_REPEATS = 3
_BOXES_PER_CELL = 9
_SIDE = 4.0  # of the smallest default box, in cells
_SHAPES = ((1.0, 1.0), (1.4, 0.7), (0.7, 1.4))  # width and height
_LEVELS = tuple(
    DefaultLevel(
        step,
        tuple(
            (_SIDE * step * scale * wide, _SIDE * step * scale * high)
            for scale in (1.0, 1.2599211, 1.587401)
            for wide, high in _SHAPES
        ),
    )
    for step in (8, 16, 32, 64, 128)
)


class Tower(nn.Cell):
    """Five maps of 64 channels -> `width` values for each default box: (B, boxes, width).

    The maps share the convolutions, and have batch norms of their own.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        steps = range(_REPEATS)
        self.conv_list = nn.CellList([SeparableConv(_CHANNELS, _CHANNELS, False) for _ in steps])
        self.bn_list = nn.CellList(
            [nn.CellList([BatchNorm2d(_CHANNELS, EPS, MOMENTUM) for _ in steps]) for _ in _LEVELS]
        )
        self.header = SeparableConv(_CHANNELS, _BOXES_PER_CELL * width, False)
        self.act = nn.SiLU()
        self.width = width

    def construct(self, maps: tuple[Tensor, ...]) -> Tensor:
        found: tuple[Tensor, ...] = ()
        for level, norms in enumerate(self.bn_list):
            x = maps[level]
            for step, conv in enumerate(self.conv_list):
                x = self.act(norms[step](conv(x)))
            found = (*found, self.header(x))
        return flatten(found, self.width)


class EfficientDet(nn.Cell):
    """See `efficientdet`."""

    def __init__(self, num_classes: int, in_channels: int, decode: bool) -> None:
        super().__init__()
        first = [BiFPN(_CHANNELS, _WIDTHS)]
        self.bifpn = nn.SequentialCell([*first, *(BiFPN(_CHANNELS) for _ in range(_REPEATS - 1))])
        self.regressor = Tower(4)
        self.classifier = Tower(num_classes)
        self.backbone = efficientnet(
            "b0", in_channels=in_channels, bn_eps=EPS, features_only=True, out_indices=(2, 3, 4)
        )
        self.boxes = OffsetBoxes(_LEVELS, whole=True)
        self.decodes = decode

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        maps = self.bifpn(self.backbone(x))
        offsets, logits = self.regressor(maps), self.classifier(maps)
        if self.training:
            return offsets, logits
        scores = ops.sigmoid(logits)
        if not self.decodes:
            return offsets, scores
        return offsets, scores, ops.concat((self.boxes(offsets, maps), scores), -1)


def efficientdet(num_classes: int = 90, in_channels: int = 3, decode: bool = True) -> EfficientDet:
    """EfficientDet-D0: float32 (B, in_channels, H, W) -> boxes; trained on 512×512 (49104 boxes).

    Height and width are multiples of 128. Returns offsets (B, boxes, 4) and scores (B, boxes,
    num_classes) from 0 to 1, in training mode logits. Then follow in evaluation mode the decoded
    boxes (B, boxes, 4 + num_classes): centre, width and height in pixels, and the scores.

    Args:
        num_classes: classes, without a background class; COCO's ids have gaps, so that there are
            90 of its 80 classes.
        in_channels: channels of the picture.
        decode: False leaves the decoded boxes out.
    """
    return EfficientDet(num_classes, in_channels, decode)
