"""YOLOv3 tiny, as the MindSpore models repository publishes it (research/cv/yolov3_tiny).

Source: Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (2018); parameter names and anchors
are those of the models repository.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.fraction_head import FractionDetector, output_conv, same_conv
from zoohub.networks.layers.routing import Upsample2x
from zoohub.outputs.box_decoding import Level

# From coarse to fine
_LEVELS = (
    Level(32, ((81, 82), (135, 169), (344, 319)), 1.1),
    Level(16, ((10, 14), (23, 27), (37, 58)), 1.2),
)


class Backbone(nn.Cell):
    """Seven 3×3 convolutions with pooling between, and one step back up.

    -> maps at 1/32 and 1/16 of the picture, of 32 and 16 times `width` channels.
    """

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        widths = [in_channels, *(width * 2**level for level in range(7))]
        for index in range(7):
            setattr(self, f"conv{index}", same_conv(widths[index], widths[index + 1], 3))
        self.conv7 = same_conv(64 * width, 16 * width)
        self.conv8 = same_conv(16 * width, 32 * width, 3)
        self.conv9 = same_conv(16 * width, 8 * width)
        self.conv10 = same_conv(24 * width, 16 * width, 3)
        self.halve = nn.MaxPool2d(2, 2)
        self.keep = nn.MaxPool2d(2, 1, pad_mode="same")
        self.upsample = Upsample2x()

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.conv1(self.halve(self.conv0(x)))
        x = self.conv3(self.halve(self.conv2(self.halve(x))))
        fine = self.conv4(self.halve(x))
        x = self.keep(self.conv5(self.halve(fine)))
        coarse = self.conv7(self.conv6(x))
        up = self.upsample(self.conv9(coarse))
        return self.conv8(coarse), self.conv10(ops.concat((up, fine), 1))


class FeatureMap(nn.Cell):
    """-> the levels' outputs before decoding, from coarse to fine."""

    def __init__(self, in_channels: int, num_classes: int, width: int) -> None:
        super().__init__()
        self.backbone = Backbone(in_channels, width)
        self.head1 = output_conv(32 * width, num_classes)
        self.head2 = output_conv(16 * width, num_classes)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        coarse, fine = self.backbone(x)
        return self.head1(coarse), self.head2(fine)

    def output_convs(self) -> tuple[nn.Cell, ...]:
        """The last convolution of each output, in their order."""
        return self.head1, self.head2


def yolov3_tiny(
    num_classes: int = 80, in_channels: int = 3, decode: bool = True, base_channels: int = 16
) -> FractionDetector:
    """YOLOv3 tiny: float32 (B, in_channels, H, W) in 0..1 -> boxes; H and W multiples of 32.

    Returns what `FractionDetector` does, at 1/32 and 1/16.

    Args:
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the maps undecoded in evaluation mode too.
        base_channels: of the first convolution; every further one has twice as many.
    """
    feature_map = FeatureMap(in_channels, num_classes, base_channels)
    return FractionDetector(feature_map, _LEVELS, decode)
