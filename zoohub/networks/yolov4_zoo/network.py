"""YOLOv4 as the MindSpore models repository publishes it (official/cv/yolov4).

Source: Bochkovskiy et al., "YOLOv4: Optimal Speed and Accuracy of Object Detection" (2020);
parameter names and anchors are those of the models repository. It has another neck, padding and
box decoding than `yolov4`.
"""

from __future__ import annotations

from functools import partial

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.fraction_head import FractionDetector, OutputBlock, same_conv
from zoohub.networks.layers.routing import Upsample2x
from zoohub.outputs.box_decoding import Level

# From coarse to fine
_LEVELS = (
    Level(32, ((142, 110), (192, 243), (459, 401)), 1.05),
    Level(16, ((36, 75), (76, 55), (72, 146)), 1.1),
    Level(8, ((12, 16), (19, 36), (40, 28)), 1.2),
)
# Of the second to the fifth stage
_BLOCKS = (2, 8, 8, 4)
_conv = partial(same_conv, act=nn.Mish)


class ResidualBlock(nn.Cell):
    """1×1 and 3×3 of all channels, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels, channels)
        self.conv2 = _conv(channels, channels, 3)

    def construct(self, x: Tensor) -> Tensor:
        return x + self.conv2(self.conv1(x))


class CSPDarknet53(nn.Cell):
    """-> maps at 1/8, 1/16 and 1/32 of the picture, of 8, 16 and 32 times `width` channels.

    A stage halves the size, sends half of the channels through its blocks and joins them with the
    other half: five convolutions, numbered through in checkpoints, which hold the blocks last.
    """

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv0 = _conv(in_channels, width, 3)
        self.conv1 = _conv(width, 2 * width, 3, 2)
        # The first stage: no halves, and its only block is narrower inside.
        self.conv2 = _conv(2 * width, 2 * width)
        self.conv3 = _conv(2 * width, width)
        self.conv4 = _conv(width, 2 * width, 3)
        self.conv5 = _conv(2 * width, 2 * width)
        self.conv6 = _conv(2 * width, 2 * width)
        self.conv7 = _conv(4 * width, 2 * width)
        for stage in range(2, 6):
            half, first = width * 2 ** (stage - 1), 8 + 5 * (stage - 2)
            setattr(self, f"conv{first}", _conv(half, 2 * half, 3, 2))
            setattr(self, f"conv{first + 1}", _conv(2 * half, half))
            setattr(self, f"conv{first + 2}", _conv(half, half))
            setattr(self, f"conv{first + 3}", _conv(2 * half, half))
            setattr(self, f"conv{first + 4}", _conv(2 * half, 2 * half))
        for stage, repeats in enumerate(_BLOCKS, start=2):
            half = width * 2 ** (stage - 1)
            blocks = nn.SequentialCell([ResidualBlock(half) for _ in range(repeats)])
            setattr(self, f"layer{stage}", blocks)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.conv1(self.conv0(x))
        y = self.conv2(x)
        y = self.conv5(y + self.conv4(self.conv3(y)))
        x = self.conv8(self.conv7(ops.concat((y, self.conv6(x)), 1)))
        y = self.conv10(self.layer2(self.conv9(x)))
        x = self.conv13(self.conv12(ops.concat((y, self.conv11(x)), 1)))
        y = self.conv15(self.layer3(self.conv14(x)))
        fine = self.conv17(ops.concat((y, self.conv16(x)), 1))
        x = self.conv18(fine)
        y = self.conv20(self.layer4(self.conv19(x)))
        middle = self.conv22(ops.concat((y, self.conv21(x)), 1))
        x = self.conv23(middle)
        y = self.conv25(self.layer5(self.conv24(x)))
        return fine, middle, self.conv27(ops.concat((y, self.conv26(x)), 1))


class FeatureMap(nn.Cell):
    """Backbone, spatial pyramid, pyramid down and up: -> outputs from coarse to fine.

    The first output block's own output is not used; checkpoints hold it.
    """

    def __init__(self, in_channels: int, num_classes: int, width: int) -> None:
        super().__init__()
        four, eight, sixteen = 4 * width, 8 * width, 16 * width
        self.backbone = CSPDarknet53(in_channels, width)
        self.conv1 = same_conv(2 * sixteen, sixteen)
        self.conv2 = same_conv(sixteen, 2 * sixteen, 3)
        self.conv3 = same_conv(2 * sixteen, sixteen)
        self.pools = nn.CellList([nn.MaxPool2d(kernel, 1, "same") for kernel in (13, 9, 5)])
        self.conv4 = same_conv(4 * sixteen, sixteen)
        self.conv5 = same_conv(sixteen, 2 * sixteen, 3)
        self.conv6 = same_conv(2 * sixteen, sixteen)
        self.conv7 = same_conv(sixteen, eight)
        self.conv8 = same_conv(sixteen, eight)
        self.backblock0 = OutputBlock(sixteen, eight, num_classes)
        self.conv9 = same_conv(eight, four)
        self.conv10 = same_conv(eight, four)
        self.conv11 = same_conv(four, eight, 3, 2)
        self.conv12 = same_conv(eight, sixteen, 3, 2)
        self.backblock1 = OutputBlock(eight, four, num_classes)
        self.backblock2 = OutputBlock(sixteen, eight, num_classes)
        self.backblock3 = OutputBlock(2 * sixteen, sixteen, num_classes)
        self.upsample = Upsample2x()

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine, middle, coarse = self.backbone(x)
        x = self.conv3(self.conv2(self.conv1(coarse)))
        views: tuple[Tensor, ...] = ()
        for pool in self.pools:
            views = (*views, pool(x))
        coarse = self.conv6(self.conv5(self.conv4(ops.concat((*views, x), 1))))
        up = self.upsample(self.conv7(coarse))
        middle, _ = self.backblock0(ops.concat((up, self.conv8(middle)), 1))
        up = self.upsample(self.conv9(middle))
        fine, small = self.backblock1(ops.concat((up, self.conv10(fine)), 1))
        middle, medium = self.backblock2(ops.concat((self.conv11(fine), middle), 1))
        _, big = self.backblock3(ops.concat((self.conv12(middle), coarse), 1))
        return big, medium, small

    def output_convs(self) -> tuple[nn.Cell, ...]:
        """The last convolution of each output, in their order."""
        return self.backblock3.conv6, self.backblock2.conv6, self.backblock1.conv6


def yolov4_zoo(
    num_classes: int = 80, in_channels: int = 3, decode: bool = True, base_channels: int = 32
) -> FractionDetector:
    """YOLOv4: float32 (B, in_channels, H, W) -> boxes; H and W multiples of 32.

    Returns what `FractionDetector` does, at 1/32, 1/16 and 1/8.

    Args:
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the maps undecoded in evaluation mode too.
        base_channels: of the first convolution; every level down has twice as many.
    """
    feature_map = FeatureMap(in_channels, num_classes, base_channels)
    return FractionDetector(feature_map, _LEVELS, decode)
