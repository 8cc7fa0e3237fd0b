"""What Faster R-CNN and its descendants see pictures with.

Each backbone takes (B, in_channels, H, W) and returns maps from 1/4 to 1/32. All but MobileNetV1's
leave their stem and first stage out of training.
"""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.deformable import DeformableConv
from zoohub.networks.layers.frozen import freeze
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import (
    BottleneckBlock,
    Numerics,
    Place,
    ResidualNetwork,
    blocks_of,
)
from zoohub.networks.mobilenet_v1.network import mobilenet_v1
from zoohub.networks.res2net.detecting import detecting_backbone
from zoohub.networks.resnet.network import ResNet

DEPTHS = (50, 101, 152)
BACKBONES = ("resnet", "deformable_resnet", "res2net", "mobilenet_v1")
_MAPS = (1, 2, 3, 4)
_WIDTHS = (256, 512, 1024, 2048)


def frozen_front(net: ResidualNetwork) -> ResidualNetwork:
    """A network whose stem and first stage are left out of training."""
    for cell in (net.conv1, net.bn1, net.layer1):
        freeze(cell)
    return net


class DeformableBlock(BottleneckBlock):
    """`BottleneckBlock` whose 3×3 convolution chooses where it looks."""

    def __init__(self, in_channels: int, channels: int, stride: int, numerics: Numerics) -> None:
        super().__init__(in_channels, channels, stride, numerics)
        self.conv2 = DeformableConv(channels, channels, stride)


class DeformableResNet(ResidualNetwork):
    """ResNet whose last three stages have deformable convolutions."""

    def __init__(self, in_channels: int, depth: int) -> None:
        super().__init__()
        numerics = Numerics()
        self.conv1 = conv2d(in_channels, 64, 7, 2)
        self.bn1 = BatchNorm2d(64)
        self.max_pool = numerics.stem_pool()

        def block(inputs: int, channels: int, stride: int, place: Place) -> nn.Cell:
            kind = DeformableBlock if place.stage else BottleneckBlock
            return kind(inputs, channels, stride, numerics)

        self.add_stages(block, blocks_of("faster_rcnn", depth, DEPTHS), 64, _MAPS)


def make_backbone(
    name: str, depth: int, in_channels: int, stride_first: bool
) -> tuple[nn.Cell, tuple[int, ...]]:
    """The backbone of that name, and its maps' channels.

    Raises:
        ValueError: an unknown name, a depth that it does not have, or `stride_first` where it is
            no ResNet.
    """
    if name not in BACKBONES:
        raise ValueError(f"faster_rcnn has backbones {', '.join(BACKBONES)}, not {name!r}")
    if name != "resnet" and stride_first:
        raise ValueError(f"stride_first is a ResNet's, the backbone is {name!r}")
    if name == "resnet":
        numerics = Numerics(stride_first=stride_first)
        blocks = blocks_of("faster_rcnn", depth, DEPTHS)
        net = ResNet(BottleneckBlock, blocks, 0, in_channels, numerics, _MAPS)
        return frozen_front(net), _WIDTHS
    if name == "deformable_resnet":
        return frozen_front(DeformableResNet(in_channels, depth)), _WIDTHS
    if depth != 50:
        raise ValueError(f"{name} is published with a depth of 50 only, not {depth}")
    if name == "res2net":
        return detecting_backbone(in_channels, _MAPS), _WIDTHS
    net = mobilenet_v1(
        in_channels=in_channels,
        conv_padding="same",
        activation="relu6",
        features_only=True,
        out_indices=_MAPS,
    )
    return net, (128, 256, 512, 1024)
