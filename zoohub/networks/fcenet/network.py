"""FCENet: the outlines of text as Fourier series, as MindOCR up to 0.3.1 publishes it.

Source: Zhu et al., "Fourier Contour Embedding for Arbitrary-Shaped Text Detection" (2021).
Parameter names are those of MindOCR.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.dbnet.backbones import text_backbone
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.corner_resize import RepeatPixels

_CHANNELS = 256


class Pyramid(nn.Cell):
    """Three maps from 1/8 to 1/32 -> three of 256 channels, each having seen the coarser."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        self.repeat = RepeatPixels()
        for level, width in enumerate(widths, start=3):
            setattr(self, f"reduce_conv_c{level}", conv2d(width, _CHANNELS, 1, bias=True))
        for level in (5, 4, 3):
            setattr(self, f"smooth_conv_p{level}", conv2d(_CHANNELS, _CHANNELS, 3, bias=True))

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        _, fine, middle, coarse = maps
        p5 = self.reduce_conv_c5(coarse)
        p4 = self.reduce_conv_c4(middle) + self.repeat(p5, middle)
        p3 = self.reduce_conv_c3(fine) + self.repeat(p4, fine)
        return self.smooth_conv_p3(p3), self.smooth_conv_p4(p4), self.smooth_conv_p5(p5)


class Head(nn.Cell):
    """The same convolutions over every map: (B, 4 + 2 (2 degree + 1), H, W)."""

    def __init__(self, degree: int) -> None:
        super().__init__()
        self.out_conv_cls = conv2d(_CHANNELS, 4, 3, bias=True)
        self.out_conv_reg = conv2d(_CHANNELS, 2 * (2 * degree + 1), 3, bias=True)

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = ()
        for each in maps:
            classes, series = self.out_conv_cls(each), self.out_conv_reg(each)
            if not self.training:
                text, centre = ops.softmax(classes[:, :2], 1), ops.softmax(classes[:, 2:], 1)
                classes = ops.concat((text, centre), 1)
            found = (*found, ops.concat((classes, series), 1))
        return found


class FCENet(nn.Cell):
    """See `fcenet`."""

    def __init__(self, backbone: nn.Cell, widths: Sequence[int], degree: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = Pyramid(widths[1:])
        self.head = Head(degree)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        return self.head(self.neck(self.backbone(x)))


def fcenet(degree: int = 5, in_channels: int = 3) -> FCENet:
    """FCENet on ResNet-50: float32 (B, in_channels, H, W) -> maps at 1/8, 1/16 and 1/32.

    Each is (B, 4 + 2 (2 degree + 1), h, w): whether a pixel is outside of text or inside, whether
    it is away from its middle or there (each pair probabilities, in training mode logits), and the
    outline's coefficients, of x for -degree to degree and then of y. H and W are multiples of 32.

    Args:
        degree: of the outlines' Fourier series.
        in_channels: channels of the picture.
    """
    body, widths = text_backbone("fcenet", "resnet50", in_channels, ("resnet50",))
    return FCENet(body, widths, degree)
