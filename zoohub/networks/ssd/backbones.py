"""The backbones of SSD: -> tuples of maps, from fine to coarse.

Parameter names are those of the MindSpore models repository, which cuts the networks into pieces
at the maps that SSD reads.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import BasicBlock, Numerics
from zoohub.networks.resnet.network import resnet
from zoohub.networks.ssd.heads import ConvNorm, InvertedResidual
from zoohub.networks.ssd.pyramid import BottomUp, Narrowed, TopDown, same_conv

# expansion, channels, repeats, stride of the first: table 2 of MobileNetV2's paper
_MOBILENET_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# channels and stride of MobileNetV1's blocks
_MOBILENET_V1 = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)


def _mobilenet_v2(in_channels: int) -> list[nn.Cell]:
    """The 19 layers of MobileNetV2."""
    layers: list[nn.Cell] = [ConvNorm(in_channels, 32, 3, 2)]
    width = 32
    for expansion, channels, repeats, stride in _MOBILENET_V2:
        for index in range(repeats):
            hidden = None if expansion == 1 else expansion * width
            step = stride if index == 0 else 1
            layers.append(InvertedResidual(width, channels, step, hidden, relu=False))
            width = channels
    return [*layers, ConvNorm(width, 1280, 1)]


class MobileNetV2(nn.Cell):
    """-> 1/16, as wide as the 14th layer expands it (576), and 1/32 (1280)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        layers = _mobilenet_v2(in_channels)
        self.expand_layer_conv_13 = ConvNorm(96, 576, 1)
        self.features_1 = nn.SequentialCell(layers[:14])
        self.features_2 = nn.SequentialCell(layers[14:])

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.features_1(x)
        return self.expand_layer_conv_13(x), self.features_2(x)


class MobileNetV2InThree(nn.Cell):
    """-> 1/8 (32), 1/16 (96) and 1/32 (1280)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        layers = _mobilenet_v2(in_channels)
        self.expand_layer_conv_6 = ConvNorm(32, 32, 1)
        self.expand_layer_conv_13 = ConvNorm(96, 96, 1)
        self.features_1 = nn.SequentialCell(layers[:7])
        self.features_2 = nn.SequentialCell(layers[7:14])
        self.features_3 = nn.SequentialCell(layers[14:])

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.features_1(x)
        middle = self.features_2(fine)
        coarse = self.features_3(middle)
        return self.expand_layer_conv_6(fine), self.expand_layer_conv_13(middle), coarse


class MobileNetV1(nn.Cell):
    """-> 1/8 (256), 1/16 (512) and 1/32 (1024)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        layers = [same_conv(in_channels, 32, 3, 2)]
        width = 32
        for channels, stride in _MOBILENET_V1:
            layers.append(same_conv(width, width, 3, stride, light=True))
            layers.append(same_conv(width, channels, 1))
            width = channels
        self.network = nn.CellList(layers)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        maps: tuple[Tensor, ...] = ()
        for index, layer in enumerate(self.network):
            x = layer(x)
            if index in (10, 22, 26):
                maps = (*maps, x)
        return maps


class VGG16(nn.Cell):
    """-> 1/8 (512) and 1/16 (512), the last pooling keeping the size."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.b1, self.b2, self.b3, self.b4, self.b5 = [
            nn.SequentialCell(
                [
                    cell
                    for index in range(repeats)
                    for cell in (conv2d(first if index == 0 else width, width, 3), nn.ReLU())
                ]
            )
            for first, width, repeats in (
                *((in_channels, 64, 2), (64, 128, 2), (128, 256, 3)),
                *((256, 512, 3), (512, 512, 3)),
            )
        ]
        self.halve = nn.MaxPool2d(2, 2, "same")
        self.keep = nn.MaxPool2d(3, 1, "same")

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.b3(self.halve(self.b2(self.halve(self.b1(x)))))
        fine = self.b4(self.halve(x))
        return fine, self.keep(self.b5(self.halve(fine)))


class MobileNetV1Only(nn.Cell):
    """-> 1/16 (512) and 1/32 (1024)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.mobilenet_v1 = MobileNetV1(in_channels)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        _, middle, coarse = self.mobilenet_v1(x)
        return middle, coarse


class MobileNetV1Pyramid(nn.Cell):
    """-> five maps from 1/8 to 1/128, of 256 channels."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.mobilenet_v1 = MobileNetV1(in_channels)
        self.fpn = TopDown((256, 512, 1024), 256, light=False)
        self.bottom_up = BottomUp(256, light=False)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.bottom_up(self.fpn(self.mobilenet_v1(x)))


class MobileNetV2Pyramid(nn.Cell):
    """-> five maps from 1/8 to 1/128, of 32 channels."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.mobilenet_v2 = MobileNetV2InThree(in_channels)
        self.fpn = TopDown((32, 96, 1280), 32, light=True)
        self.bottom_up = BottomUp(32, light=True)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.bottom_up(self.fpn(self.mobilenet_v2(x)))


class ResNet34Front(nn.Cell):
    """ResNet-34 without its last stage, the third of which keeps the size: -> 1/8 (256)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, 64, 7, 2)
        self.bn1 = BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, 2, "same")

        def stage(width: int, channels: int, stride: int, count: int) -> nn.SequentialCell:
            first = BasicBlock(width, channels, stride, Numerics())
            rest = [BasicBlock(channels, channels, 1, Numerics()) for _ in range(count - 1)]
            return nn.SequentialCell([first, *rest])

        self.layer1 = stage(64, 64, 1, 3)
        self.layer2 = stage(64, 128, 2, 4)
        self.layer3 = stage(128, 256, 1, 6)

    def construct(self, x: Tensor) -> Tensor:
        x = self.pool(ops.relu(self.bn1(self.conv1(x))))
        return self.layer3(self.layer2(self.layer1(x)))


class ResNet34Maps(nn.Cell):
    """-> six maps from 1/8 to one cell, of 256, 512, 512, 256, 256 and 256 channels."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.module = ResNet34Front(in_channels)

        def block(
            width: int, hidden: int, channels: int, stride: int, padding: int
        ) -> nn.SequentialCell:
            first = conv2d(width, hidden, 1)
            second = conv2d(hidden, channels, 3, stride, padding)
            return nn.SequentialCell([first, nn.ReLU(), second, nn.ReLU()])

        self.additional_blocks = nn.CellList(
            [
                block(256, 256, 512, 2, 1),
                block(512, 256, 512, 2, 1),
                block(512, 128, 256, 2, 1),
                block(256, 128, 256, 1, 0),
                block(256, 128, 256, 1, 0),
            ]
        )

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        last = self.module(x)
        maps: tuple[Tensor, ...] = (last,)
        for block in self.additional_blocks:
            last = block(last)
            maps = (*maps, last)
        return maps


def _resnet50(in_channels: int) -> nn.Cell:
    """-> 1/8 (512), 1/16 (1024) and 1/32 (2048)."""
    return resnet(
        50,
        in_channels=in_channels,
        conv_padding="same",
        bn_eps=1e-3,
        features_only=True,
        out_indices=(2, 3, 4),
    )


class ResNet50Pyramid(nn.Cell):
    """-> five maps from 1/8 to 1/128, of 256 channels."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.resnet = _resnet50(in_channels)
        self.fpn = TopDown((512, 1024, 2048), 256, light=False)
        self.bottom_up = BottomUp(256, light=False)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.bottom_up(self.fpn(self.resnet(x)))


class ResNet50Extra(nn.Cell):
    """-> 1/8 (512), 1/16 (1024), 1/32 (512), and two more (256), each of half the size."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.resnet = _resnet50(in_channels)
        self.extra = Narrowed(512, 256)
        self.Channel_cover = same_conv(2048, 512, 3)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        fine, middle, coarse = self.resnet(x)
        return self.extra((fine, middle, self.Channel_cover(coarse)))
