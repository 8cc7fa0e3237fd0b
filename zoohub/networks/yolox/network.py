"""YOLOX as mindyolo publishes it: nano, tiny, s, m, l, x, and one on Darknet-53.

Source: Ge et al., "YOLOX: Exceeding YOLO Series in 2021" (2021); tables and names are those of
mindyolo's configurations.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mindspore import nn

from zoohub.networks.layers.conv import ConvNormAct
from zoohub.networks.layers.csp import C3, SPPF
from zoohub.networks.layers.layer_table import Row, Scale, TableNetwork, row, scale_of
from zoohub.networks.layers.yolo_rows import bottlenecks, concat, conv, head, sppf, upsample
from zoohub.networks.yolox.blocks import DecoupledHead, Focus, LightConv, light_c3

_SCALES = {
    "nano": Scale(depth=0.33, width=0.25),
    "tiny": Scale(depth=0.33, width=0.375),
    "s": Scale(depth=0.33, width=0.5),
    "m": Scale(depth=0.67, width=0.75),
    "l": Scale(depth=1.0, width=1.0),
    "x": Scale(depth=1.33, width=1.25),
    "darknet53": Scale(depth=1.0, width=1.0),
}
_DARKNET_HIDDEN = 256  # channels of the head's branches; a quarter of the last map's in the others
_leaky = partial(nn.LeakyReLU, 0.1)


# fmt: off
def _csp(light: bool) -> tuple[Row, ...]:
    """YOLOv5's backbone and neck; `light`, nano's, has convolutions in two parts."""
    def down(channels: int) -> Row:
        return row(LightConv if light else ConvNormAct, channels, 3, 2)

    def c3(channels: int, repeats: int, shortcut: bool = True) -> Row:
        return row(light_c3 if light else C3, channels, shortcut, repeats=repeats)

    return (
        row(Focus, 64, 3),                                                    # 0: 1/2
        down(128), c3(128, 3),                                                # 2: 1/4
        down(256), c3(256, 9),                                                # 4: 1/8
        down(512), c3(512, 9),                                                # 6: 1/16
        down(1024), sppf(1024), c3(1024, 3, False), conv(512, 1, 1),          # 10: 1/32
        upsample(), concat(-1, 6), c3(512, 3, False), conv(256, 1, 1),        # 14: 1/16
        upsample(), concat(-1, 4), c3(256, 3, False),                         # 17: 1/8
        down(256), concat(-1, 14), c3(512, 3, False),                         # 20: 1/16
        down(512), concat(-1, 10), c3(1024, 3, False),                        # 23: 1/32
    )


def _darknet53() -> tuple[Row, ...]:
    """YOLOv3's, with leaky ReLU."""
    c = partial(conv, act=_leaky)
    b = partial(bottlenecks, act=_leaky)
    return (
        c(32, 3, 1),                                                          # 0: 1/1
        c(64), b(64),                                                         # 2: 1/2
        c(128), b(128, 2),                                                    # 4: 1/4
        c(256), b(256, 8),                                                    # 6: 1/8
        c(512), b(512, 8),                                                    # 8: 1/16
        c(1024), b(1024, 4),                                                  # 10: 1/32
        c(512, 1, 1), c(1024, 3, 1), row(SPPF, 512, act=_leaky),
        c(1024, 3, 1), c(512, 1, 1),                                          # 15: 1/32
        c(256, 1, 1), upsample(), concat(-1, 8),
        c(256, 1, 1), c(512, 3, 1), c(256, 1, 1), c(512, 3, 1), c(256, 1, 1),  # 23: 1/16
        c(128, 1, 1), upsample(), concat(-1, 6),
        c(128, 1, 1), c(256, 3, 1), c(128, 1, 1), c(256, 3, 1), c(128, 1, 1),  # 31: 1/8
    )


# fmt: on
def yolox(
    size: str = "s",
    num_classes: int = 80,
    in_channels: int = 3,
    decode: bool = True,
    width: float | None = None,
    depth: float | None = None,
) -> TableNetwork:
    """YOLOX: float32 (B, in_channels, H, W) -> boxes; H and W multiples of 32.

    Returns what `DecoupledHead` does, from fine to coarse (1/8, 1/16, 1/32).

    Args:
        size: "nano", "tiny", "s", "m", "l", "x" or "darknet53".
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the raw maps undecoded in evaluation mode too.
        width: factor on the channels, instead of the size's own (nano: 0.25).
        depth: factor on the blocks' repeats, instead of the size's own (nano: 0.33).

    Raises:
        ValueError: an unknown size, or a width or depth not above 0.
    """
    scale = scale_of("yolox", _SCALES, size, width, depth)

    def plain(read: Sequence[int]) -> nn.Cell:
        return DecoupledHead(read, num_classes, read[2] // 4, decode, light=size == "nano")

    def darknet(read: Sequence[int]) -> nn.Cell:
        return DecoupledHead(read, num_classes, _DARKNET_HIDDEN, decode, act=_leaky)

    rows: tuple[Row, ...]
    if size == "darknet53":
        rows = (*_darknet53(), head(darknet, 31, 23, 15))
    else:
        rows = (*_csp(size == "nano"), head(plain, 17, 20, 23))
    return TableNetwork(rows, scale, in_channels)
