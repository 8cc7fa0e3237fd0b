"""YOLOv3 on ResNet-18, as the MindSpore models repository publishes it.

Source: Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (2018), in the form of the models
repository (official/cv/yolov3_resnet18), whose parameter names these are. Its ResNet pads as
TensorFlow does and has no batch norms on its shortcuts.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.fraction_head import FractionDetector, OutputBlock, same_conv
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.routing import Upsample2x
from zoohub.outputs.box_decoding import Level

# From coarse to fine. YOLOv3's own anchors: this publisher's were not seen.
_LEVELS = (
    Level(32, ((116, 90), (156, 198), (163, 326)), 1.0),
    Level(16, ((30, 61), (62, 45), (59, 119)), 1.0),
    Level(8, ((10, 13), (16, 30), (33, 23)), 1.0),
)


class SameConv(nn.Cell):
    """A convolution padded as TensorFlow does, one level deeper in the names."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride, "same")

    def construct(self, x: Tensor) -> Tensor:
        return self.conv(x)


class BasicBlock(nn.Cell):
    """Two 3×3 convolutions: (B, in_channels, H, W) -> (B, channels, H / stride, W / stride)."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = SameConv(in_channels, channels, 3, stride)
        self.bn1 = BatchNorm2d(channels)
        self.conv2 = SameConv(channels, channels, 3)
        self.bn2 = BatchNorm2d(channels)
        self.down_sample_layer: nn.Cell | None = None
        if in_channels != channels:
            self.down_sample_layer = SameConv(in_channels, channels, 1, stride)

    def construct(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(ops.relu(self.bn1(self.conv1(x)))))
        identity = x if self.down_sample_layer is None else self.down_sample_layer(x)
        return ops.relu(y + identity)


class ResNet18(nn.Cell):
    """-> maps at 1/8, 1/16 and 1/32 of the picture, of 2, 4 and 8 times `width` channels."""

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = SameConv(in_channels, width, 7, 2)
        self.bn1 = BatchNorm2d(width)
        self.pool = nn.MaxPool2d(3, 2, pad_mode="same")

        def stage(inputs: int, channels: int, stride: int) -> nn.SequentialCell:
            blocks = [BasicBlock(inputs, channels, stride), BasicBlock(channels, channels, 1)]
            return nn.SequentialCell(blocks)

        self.layer1 = stage(width, width, 1)
        self.layer2 = stage(width, 2 * width, 2)
        self.layer3 = stage(2 * width, 4 * width, 2)
        self.layer4 = stage(4 * width, 8 * width, 2)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.layer1(self.pool(ops.relu(self.bn1(self.conv1(x)))))
        fine = self.layer2(x)
        middle = self.layer3(fine)
        return fine, middle, self.layer4(middle)


class FeatureMap(nn.Cell):
    """Backbone and pyramid: -> the levels' outputs before decoding, from coarse to fine."""

    def __init__(self, in_channels: int, num_classes: int, width: int) -> None:
        super().__init__()
        self.net = ResNet18(in_channels, width)
        self.backblock0 = OutputBlock(8 * width, 4 * width, num_classes)
        self.conv1 = same_conv(4 * width, 2 * width)
        self.backblock1 = OutputBlock(6 * width, 2 * width, num_classes)
        self.conv2 = same_conv(2 * width, width)
        self.backblock2 = OutputBlock(3 * width, width, num_classes)
        self.upsample = Upsample2x()

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine, middle, coarse = self.net(x)
        x, big = self.backblock0(coarse)
        x, medium = self.backblock1(ops.concat((self.upsample(self.conv1(x)), middle), 1))
        _, small = self.backblock2(ops.concat((self.upsample(self.conv2(x)), fine), 1))
        return big, medium, small

    def output_convs(self) -> tuple[nn.Cell, ...]:
        """The last convolution of each output, in their order."""
        return self.backblock0.conv6, self.backblock1.conv6, self.backblock2.conv6


def yolov3_resnet18(
    num_classes: int = 2, in_channels: int = 3, decode: bool = True, base_channels: int = 64
) -> FractionDetector:
    """YOLOv3 on ResNet-18: float32 (B, in_channels, H, W) in 0..1 -> boxes; multiples of 32.

    Returns what `FractionDetector` does, at 1/32, 1/16 and 1/8.

    Args:
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the maps undecoded in evaluation mode too.
        base_channels: of the first convolution; the last stage has eight times as many.
    """
    feature_map = FeatureMap(in_channels, num_classes, base_channels)
    return FractionDetector(feature_map, _LEVELS, decode)
