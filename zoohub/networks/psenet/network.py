"""PSENet: where text is in a picture, as seven kernels of growing size.

Source: Wang et al., "Shape Robust Text Detection with Progressive Scale Expansion Network" (2019).
Parameter names are those of MindOCR; the MindSpore models repository (official/cv/psenet) has the
same shapes, resizes otherwise and decides itself what is a kernel (`zoo`).
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.dbnet.backbones import text_backbone
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import BottleneckBlock, Numerics, blocks_of
from zoohub.networks.resnet.network import ResNet

# Channels of the pyramid's maps, and inside of the head
_CHANNELS = {"resnet50": (256, 256), "resnet152": (128, 256), "mobilenet_v3": (96, 96)}
_MOMENTUM = 0.1
_SURE = 1.0  # logit above which the models repository's evaluation counts a pixel
_ZOO = Numerics("symmetric", "symmetric")


class Pyramid(nn.Cell):
    """Four maps from 1/4 to 1/32 -> one at 1/4, of four times `channels`, the finest's first.

    Maps are spread bilinearly, the pixels of the `corners` or their own corners staying in place.
    """

    def __init__(self, widths: Sequence[int], channels: int, corners: bool) -> None:
        super().__init__()
        for level, width in enumerate(widths, start=2):
            setattr(self, f"reduce_conv_c{level}", conv2d(width, channels, 1, bias=True))
            setattr(self, f"reduce_bn_c{level}", BatchNorm2d(channels, momentum=_MOMENTUM))
        for level in (4, 3, 2):
            setattr(self, f"smooth_conv_p{level}", conv2d(channels, channels, 3, bias=True))
            setattr(self, f"smooth_bn_p{level}", BatchNorm2d(channels, momentum=_MOMENTUM))
        self.resize = ops.auto_generate.ResizeBilinearV2(corners, False)

    def construct(self, maps: tuple[Tensor, ...]) -> Tensor:
        c2, c3, c4, c5 = maps
        p5 = ops.relu(self.reduce_bn_c5(self.reduce_conv_c5(c5)))
        c4 = ops.relu(self.reduce_bn_c4(self.reduce_conv_c4(c4)))
        p4 = self.smooth_conv_p4(self.resize(p5, c4.shape[2:]) + c4)
        p4 = ops.relu(self.smooth_bn_p4(p4))
        c3 = ops.relu(self.reduce_bn_c3(self.reduce_conv_c3(c3)))
        p3 = self.smooth_conv_p3(self.resize(p4, c3.shape[2:]) + c3)
        p3 = ops.relu(self.smooth_bn_p3(p3))
        c2 = ops.relu(self.reduce_bn_c2(self.reduce_conv_c2(c2)))
        size = c2.shape[2:]
        p2 = self.smooth_conv_p2(self.resize(p3, size) + c2)
        p2 = ops.relu(self.smooth_bn_p2(p2))
        coarser = (self.resize(p3, size), self.resize(p4, size), self.resize(p5, size))
        return ops.concat((p2, *coarser), 1)


class Head(nn.Cell):
    """(B, in_channels, H, W) -> (B, kernels, H, W)."""

    def __init__(self, in_channels: int, hidden: int, kernels: int) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, hidden, 3, bias=True)
        self.bn1 = BatchNorm2d(hidden, momentum=_MOMENTUM)
        self.conv2 = conv2d(hidden, kernels, 1, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        return self.conv2(ops.relu(self.bn1(self.conv1(x))))


class PSENet(nn.Cell):
    """See `psenet`."""

    def __init__(
        self,
        backbone: nn.Cell,
        widths: Sequence[int],
        channels: tuple[int, int],
        kernels: int,
        zoo: bool,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = Pyramid(widths, channels[0], corners=zoo)
        self.head = Head(4 * channels[0], channels[1], kernels)
        self.zoo = zoo
        self.spread = ops.auto_generate.ResizeBilinearV2(True, False)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        maps = self.head(self.neck(self.backbone(x)))
        if not self.zoo:
            return maps
        maps = self.spread(maps, x.shape[2:])
        if self.training:
            return maps
        text = maps[:, :1]
        return ops.sigmoid(text), ops.logical_and(maps > _SURE, text > _SURE)


def psenet(
    backbone: str = "resnet50", kernels: int = 7, in_channels: int = 3, zoo: bool = False
) -> PSENet:
    """PSENet: float32 (B, in_channels, H, W) -> logits (B, kernels, H / 4, W / 4).

    The first kernel is the text itself, the last its innermost part. H and W are multiples of 32.
    With `zoo` it gives the probability of text (B, 1, H, W) and what is of each kernel (B, kernels,
    H, W), True or False; in training mode logits of that size.

    Args:
        backbone: "resnet50", "resnet152" or "mobilenet_v3" (at half its width).
        kernels: how many sizes of each text there are.
        in_channels: channels of the picture.
        zoo: the models repository's numerics and outputs, on ResNet-50.

    Raises:
        ValueError: an unknown backbone, or one that the models repository does not have.
    """
    if zoo:
        if backbone != "resnet50":
            raise ValueError(f"psenet with zoo has the backbone resnet50, not {backbone!r}")
        net = ResNet(
            BottleneckBlock,
            blocks_of("psenet", 50, (50,)),
            num_classes=0,
            in_channels=in_channels,
            numerics=_ZOO,
            out_indices=(1, 2, 3, 4),
        )
        widths = tuple(each.channels for each in net.feature_info)
        return PSENet(net, widths, _CHANNELS[backbone], kernels, zoo)
    body, widths = text_backbone("psenet", backbone, in_channels, tuple(_CHANNELS))
    return PSENet(body, widths, _CHANNELS[backbone], kernels, zoo)
