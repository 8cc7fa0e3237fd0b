"""YOLOv3 on Darknet-53, as the MindSpore models repository publishes it.

Source: Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (2018), in the form of the models
repository (official/cv/yolov3_darknet53), whose parameter names these are. It has other padding,
activations and box decoding than `yolov3`.
"""

from __future__ import annotations

from functools import partial

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.fraction_head import FractionDetector, OutputBlock, same_conv
from zoohub.networks.layers.routing import Upsample2x
from zoohub.outputs.box_decoding import Level

_BLOCKS = (1, 2, 8, 8, 4)
# From coarse to fine
LEVELS = (
    Level(32, ((116, 90), (156, 198), (373, 326)), 1.0),
    Level(16, ((30, 61), (62, 45), (59, 119)), 1.0),
    Level(8, ((10, 13), (16, 30), (33, 23)), 1.0),
)
_conv = partial(same_conv, act=nn.ReLU)


class ResidualBlock(nn.Cell):
    """1×1 to half of the channels, 3×3 back, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, channels // 2)
        self.conv2 = _conv(channels // 2, channels, 3)

    def construct(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.conv1(x))


class Darknet53(nn.Cell):
    """-> maps at 1/8, 1/16 and 1/32 of the picture, of 8, 16 and 32 times `width` channels."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv0 = _conv(in_channels, width, 3)
        for index, repeats in enumerate(_BLOCKS, start=1):
            width *= 2
            setattr(self, f"conv{index}", _conv(width // 2, width, 3, 2))
            blocks = nn.SequentialCell([ResidualBlock(width) for _ in range(repeats)])
            setattr(self, f"layer{index}", blocks)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.layer1(self.conv1(self.conv0(x)))
        fine = self.layer3(self.conv3(self.layer2(self.conv2(x))))
        middle = self.layer4(self.conv4(fine))
        return fine, middle, self.layer5(self.conv5(middle))


class FeatureMap(nn.Cell):
    """Backbone and pyramid: -> the levels' outputs before decoding, from coarse to fine.

    `widths` are the channels of the backbone's maps at 1/8, 1/16 and 1/32.
    """

    def __init__(self, backbone: nn.Cell, widths: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.backbone = backbone
        self.backblock0 = OutputBlock(coarse, middle, num_classes)
        self.conv1 = same_conv(middle, middle // 2)
        self.backblock1 = OutputBlock(middle // 2 + middle, fine, num_classes)
        self.conv2 = same_conv(fine, fine // 2)
        self.backblock2 = OutputBlock(fine // 2 + fine, fine // 2, num_classes)
        self.upsample = Upsample2x()

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine, middle, coarse = self.backbone(x)
        x, big = self.backblock0(coarse)
        x, medium = self.backblock1(ops.concat((self.upsample(self.conv1(x)), middle), 1))
        _, small = self.backblock2(ops.concat((self.upsample(self.conv2(x)), fine), 1))
        return big, medium, small

    def output_convs(self) -> tuple[nn.Cell, ...]:
        """The last convolution of each output, in their order."""
        return self.backblock0.conv6, self.backblock1.conv6, self.backblock2.conv6


def yolov3_darknet53(
    num_classes: int = 80, in_channels: int = 3, decode: bool = True, base_channels: int = 32
) -> FractionDetector:
    """YOLOv3: float32 (B, in_channels, H, W) -> boxes; H and W multiples of 32.

    Returns what `FractionDetector` does, at 1/32, 1/16 and 1/8.

    Args:
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the maps undecoded in evaluation mode too.
        base_channels: of the first convolution; every level down has twice as many.
    """
    backbone = Darknet53(in_channels, base_channels)
    widths = (8 * base_channels, 16 * base_channels, 32 * base_channels)
    return FractionDetector(FeatureMap(backbone, widths, num_classes), LEVELS, decode)
