"""The first YOLOv5 (Focus stem, SPP), as the MindSpore models repository publishes it.

Source: Ultralytics YOLOv5, releases 1 to 5, in the form of the models repository
(official/cv/yolov5), whose parameter names, anchors and box decoding these are. It shares
neither layers nor decoding with `yolov5`; its heads are those of that repository's YOLOv4.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import ConvNormAct
from zoohub.networks.layers.csp import C3, SPPF
from zoohub.networks.layers.fraction_head import FractionDetector
from zoohub.networks.layers.reorg import quarters
from zoohub.networks.layers.routing import Upsample2x
from zoohub.outputs.box_decoding import Level

# channels of the stem, repeats of the shortest CSP block
_SIZES = {"s": (32, 1), "m": (48, 2), "l": (64, 3), "x": (80, 4)}

# ImageNet's, for pixels from 0 to 255
_MEAN = (123.675, 116.28, 103.53)
_STD = (58.395, 57.12, 57.375)

# From coarse to fine.
_LEVELS = (
    Level(32, ((142, 110), (192, 243), (459, 401)), 1.05),
    Level(16, ((36, 75), (76, 55), (72, 146)), 1.1),
    Level(8, ((12, 16), (19, 36), (40, 28)), 1.2),
)


class Focus(nn.Cell):
    """Every 2×2 pixels become one cell of four times the channels, then a convolution.

    Takes (B, H, W, 3) pixels from 0 to 255 and normalises them, or, where `sliced`, (B, 12, H/2,
    W/2) that has been through both. -> (B, out_channels, H/2, W/2).
    """

    def __init__(self, out_channels: int, sliced: bool) -> None:
        super().__init__()
        self.conv = ConvNormAct(12, out_channels, 3)
        self.sliced = sliced
        self.mean = Tensor(np.array(_MEAN, np.float32).reshape(1, 3, 1, 1))
        self.std = Tensor(np.array(_STD, np.float32).reshape(1, 3, 1, 1))

    def construct(self, x: Tensor) -> Tensor:
        if not self.sliced:
            x = (ops.transpose(x, (0, 3, 1, 2)) - self.mean) / self.std
            x = quarters(x)
        return self.conv(x)


class Backbone(nn.Cell):
    """-> maps at 1/8, 1/16 and 1/32 of the picture, of 4, 8 and 16 times `width` channels."""

    def __init__(self, width: int, repeats: int, sliced: bool) -> None:
        super().__init__()
        self.focus = Focus(width, sliced)
        self.conv1 = ConvNormAct(width, 2 * width, 3, 2)
        self.CSP1 = C3(2 * width, 2 * width, repeats)
        self.conv2 = ConvNormAct(2 * width, 4 * width, 3, 2)
        self.CSP2 = C3(4 * width, 4 * width, 3 * repeats)
        self.conv3 = ConvNormAct(4 * width, 8 * width, 3, 2)
        self.CSP3 = C3(8 * width, 8 * width, 3 * repeats)
        self.conv4 = ConvNormAct(8 * width, 16 * width, 3, 2)
        self.spp = SPPF(16 * width, 16 * width)
        self.CSP4 = C3(16 * width, 16 * width, repeats, shortcut=False)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine = self.CSP2(self.conv2(self.CSP1(self.conv1(self.focus(x)))))
        middle = self.CSP3(self.conv3(fine))
        coarse = self.CSP4(self.spp(self.conv4(middle)))
        return fine, middle, coarse


class Output(nn.Cell):
    """The last convolution of a level: (B, C, H, W) -> (B, 3 (5 + classes), H, W)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, has_bias=True)

    def construct(self, x: Tensor) -> Tensor:
        return self.conv(x)


class FeatureMap(nn.Cell):
    """Backbone and pyramid: -> the levels' outputs before decoding, from coarse to fine."""

    def __init__(self, width: int, repeats: int, num_classes: int, sliced: bool) -> None:
        super().__init__()
        outputs = 3 * (5 + num_classes)
        self.backbone = Backbone(width, repeats, sliced)
        self.conv1 = ConvNormAct(16 * width, 8 * width)
        self.CSP5 = C3(16 * width, 8 * width, repeats, shortcut=False)
        self.conv2 = ConvNormAct(8 * width, 4 * width)
        self.CSP6 = C3(8 * width, 4 * width, repeats, shortcut=False)
        self.conv3 = ConvNormAct(4 * width, 4 * width, 3, 2)
        self.CSP7 = C3(8 * width, 8 * width, repeats, shortcut=False)
        self.conv4 = ConvNormAct(8 * width, 8 * width, 3, 2)
        self.CSP8 = C3(16 * width, 16 * width, repeats, shortcut=False)
        self.back_block1 = Output(4 * width, outputs)
        self.back_block2 = Output(8 * width, outputs)
        self.back_block3 = Output(16 * width, outputs)
        self.upsample = Upsample2x()

    def output_convs(self) -> tuple[nn.Conv2d, ...]:
        """The last convolution of each level, from coarse to fine."""
        return self.back_block3.conv, self.back_block2.conv, self.back_block1.conv

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        fine, middle, coarse = self.backbone(x)
        lateral2 = self.conv1(coarse)
        middle = self.CSP5(ops.concat((self.upsample(lateral2), middle), 1))
        lateral1 = self.conv2(middle)
        fine = self.CSP6(ops.concat((self.upsample(lateral1), fine), 1))
        middle = self.CSP7(ops.concat((self.conv3(fine), lateral1), 1))
        coarse = self.CSP8(ops.concat((self.conv4(middle), lateral2), 1))
        return self.back_block3(coarse), self.back_block2(middle), self.back_block1(fine)


def yolov5_focus(
    size: str = "s",
    num_classes: int = 80,
    sliced_input: bool = False,
    decode: bool = True,
    base_channels: int | None = None,
) -> FractionDetector:
    """The first YOLOv5: float32 (B, H, W, 3), RGB from 0 to 255 -> boxes.

    H and W are multiples of 32. In evaluation mode returns three maps (B, H/32, W/32, 3,
    5 + num_classes), then the same at 1/16 and 1/8: centre x, centre y, width, height as fractions
    of the input's width and height, objectness, class scores. In training mode the same three
    maps before decoding.

    Args:
        size: "s", "m", "l" or "x".
        num_classes: classes, without a background class.
        sliced_input: the input is (B, 12, H/2, W/2), already normalised and sliced, as
            the publisher's training data are.
        decode: False leaves the maps undecoded in evaluation mode too.
        base_channels: of the stem; None: the size's own, 32 to 80.

    Raises:
        ValueError: an unknown size.
    """
    if size not in _SIZES:
        raise ValueError(f"yolov5_focus has sizes {', '.join(_SIZES)}, not {size!r}")
    width, repeats = _SIZES[size]
    feature_map = FeatureMap(base_channels or width, repeats, num_classes, sliced_input)
    return FractionDetector(feature_map, _LEVELS, decode)
