"""YOLOv9 as mindyolo publishes it: t, s, m, c, e, each with its auxiliary branch.

Source: Wang et al., "YOLOv9: Learning What You Want to Learn Using Programmable Gradient
Information" (2024); tables and names are those of mindyolo's configurations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mindspore import nn

from zoohub.networks.layers.layer_table import Row, Scale, TableNetwork, row, scale_of
from zoohub.networks.layers.yolo_rows import concat, conv, head, upsample
from zoohub.networks.yolov9.blocks import (
    ELAN,
    SPPELAN,
    AverageConv,
    AverageDown,
    Borrow,
    DualHead,
    Lend,
)

_SCALES = {size: Scale(depth=1.0, width=1.0) for size in ("t", "s", "m", "c", "e")}


def picture() -> Row:
    """The picture itself, for the branch that starts from it once more."""
    return Row(lambda read, scale: (nn.Identity(), read[0]))


def aconv(channels: int) -> Row:
    """Half of the size, by averages and a convolution."""
    return row(AverageConv, channels)


def adown(channels: int) -> Row:
    """Half of the size, by averages, convolutions and pooling."""
    return row(AverageDown, channels)


def spp(channels: int, source: int = -1) -> Row:
    """Spatial pyramid, half as wide inside."""
    return row(SPPELAN, channels, channels // 2, source=source)


def lend(source: int, *parts: int) -> Row:
    """What a layer of the main branch lends to the auxiliary branch's levels."""

    def make(read: Sequence[int], scale: Scale) -> tuple[nn.Cell, int]:
        widths = [scale.channels(part) for part in parts]
        return Lend(read[0], widths), sum(widths)

    return Row(make, (source,))


def borrow(part: int, *sources: int) -> Row:
    """Part `part` of what each source lends, added to the layer before."""
    return Row(lambda read, scale: (Borrow(part), read[-1]), (*sources, -1))


# fmt: off
def _small(width: int) -> tuple[Row, ...]:
    """t (width 1) and s (2); the auxiliary branch is a second neck."""
    def elan(channels: int) -> Row:
        return row(ELAN, channels * width, channels * width, channels * width // 2, 3)

    return (
        conv(16 * width),                                                     # 0: 1/2
        conv(32 * width), row(ELAN, 32 * width, 32 * width, 16 * width),      # 2: 1/4
        aconv(64 * width), elan(64),                                          # 4: 1/8
        aconv(96 * width), elan(96),                                          # 6: 1/16
        aconv(128 * width), elan(128), spp(128 * width),                      # 9: 1/32
        upsample(), concat(-1, 6), elan(96),                                  # 12: 1/16
        upsample(), concat(-1, 4), elan(64),                                  # 15: 1/8
        aconv(48 * width), concat(-1, 12), elan(96),                          # 18: 1/16
        aconv(64 * width), concat(-1, 9), elan(128),                          # 21: 1/32
        spp(128 * width, source=8),                                           # 22: auxiliary, 1/32
        upsample(), concat(-1, 6), elan(96),                                  # 25: 1/16
        upsample(), concat(-1, 4), elan(64),                                  # 28: 1/8
    )


def _medium() -> tuple[Row, ...]:
    def elan(channels: int, split: int | None = None) -> Row:
        split = split or channels
        return row(ELAN, channels, split, split // 2, 1)

    return (
        picture(),
        conv(32),                                                             # 1: 1/2
        conv(64), elan(128),                                                  # 3: 1/4
        aconv(240), elan(240),                                                # 5: 1/8
        aconv(360), elan(360),                                                # 7: 1/16
        aconv(480), elan(480), spp(480),                                      # 10: 1/32
        upsample(), concat(-1, 7), elan(360),                                 # 13: 1/16
        upsample(), concat(-1, 5), elan(240),                                 # 16: 1/8
        aconv(180), concat(-1, 13), elan(360),                                # 19: 1/16
        aconv(240), concat(-1, 10), row(ELAN, 480, 240, 240, 1),              # 22: 1/32
        lend(5, 240), lend(7, 240, 360), lend(9, 240, 360, 480),              # 25: auxiliary
        conv(32, source=0), conv(64), elan(128),                              # 28: 1/4
        aconv(240), borrow(0, 23, 24, 25), elan(240),                         # 31: 1/8
        aconv(360), borrow(1, 24, 25), elan(360),                             # 34: 1/16
        aconv(480), borrow(2, 25), elan(480),                                 # 37: 1/32
    )


def _compact() -> tuple[Row, ...]:
    def elan(channels: int, split: int, hidden: int | None = None) -> Row:
        return row(ELAN, channels, split, hidden or split // 2, 1)

    return (
        picture(),
        conv(64),                                                             # 1: 1/2
        conv(128), elan(256, 128),                                            # 3: 1/4
        adown(256), elan(512, 256),                                           # 5: 1/8
        adown(512), elan(512, 512),                                           # 7: 1/16
        adown(512), elan(512, 512), spp(512),                                 # 10: 1/32
        upsample(), concat(-1, 7), elan(512, 512),                            # 13: 1/16
        upsample(), concat(-1, 5), elan(256, 256),                            # 16: 1/8
        adown(256), concat(-1, 13), elan(512, 512),                           # 19: 1/16
        adown(512), concat(-1, 10), elan(512, 512),                           # 22: 1/32
        lend(5, 256), lend(7, 256, 512), lend(9, 256, 512, 512),              # 25: auxiliary
        conv(64, source=0), conv(128), elan(256, 128),                        # 28: 1/4
        adown(256), borrow(0, 23, 24, 25), elan(512, 256, 120),               # 31: 1/8
        adown(512), borrow(1, 24, 25), elan(512, 512),                        # 34: 1/16
        adown(512), borrow(2, 25), elan(512, 512),                            # 37: 1/32
    )


def _extended() -> tuple[Row, ...]:
    """Here the auxiliary branch is the backbone, which a second one lends to."""
    def elan(channels: int, split: int) -> Row:
        return row(ELAN, channels, split, split // 2, 2)

    return (
        picture(),
        conv(64),                                                             # 1: 1/2
        conv(128), elan(256, 128),                                            # 3: 1/4
        adown(256), elan(512, 256),                                           # 5: 1/8
        adown(512), elan(1024, 512),                                          # 7: 1/16
        adown(1024), elan(1024, 512),                                         # 9: 1/32
        lend(1, 64), lend(3, 64, 128), lend(5, 64, 128, 256),
        lend(7, 64, 128, 256, 512), lend(9, 64, 128, 256, 512, 1024),         # 14
        conv(64, source=0), borrow(0, 10, 11, 12, 13, 14),                    # 16: 1/2
        conv(128), borrow(1, 11, 12, 13, 14), elan(256, 128),                 # 19: 1/4
        adown(256), borrow(2, 12, 13, 14), elan(512, 256),                    # 22: 1/8
        adown(512), borrow(3, 13, 14), elan(1024, 512),                       # 25: 1/16
        adown(1024), borrow(4, 14), elan(1024, 512),                          # 28: 1/32
        spp(512, source=9),                                                   # 29: auxiliary, 1/32
        upsample(), concat(-1, 7), elan(512, 512),                            # 32: 1/16
        upsample(), concat(-1, 5), elan(256, 256),                            # 35: 1/8
        spp(512, source=28),                                                  # 36: 1/32
        upsample(), concat(-1, 25), elan(512, 512),                           # 39: 1/16
        upsample(), concat(-1, 22), elan(256, 256),                           # 42: 1/8
        adown(256), concat(-1, 39), elan(512, 512),                           # 45: 1/16
        adown(512), concat(-1, 36), elan(512, 1024),                          # 48: 1/32
    )


# fmt: on
# The table of each size, and the layers its head reads: auxiliary, then main, fine to coarse.
_TABLES: dict[str, tuple[Callable[[], tuple[Row, ...]], tuple[int, ...]]] = {
    "t": (lambda: _small(1), (28, 25, 22, 15, 18, 21)),
    "s": (lambda: _small(2), (28, 25, 22, 15, 18, 21)),
    "m": (_medium, (31, 34, 37, 16, 19, 22)),
    "c": (_compact, (31, 34, 37, 16, 19, 22)),
    "e": (_extended, (35, 32, 29, 42, 45, 48)),
}


def yolov9(
    size: str = "s",
    num_classes: int = 80,
    in_channels: int = 3,
    decode: bool = True,
    width: float | None = None,
) -> TableNetwork:
    """YOLOv9: float32 (B, in_channels, H, W) in 0..1, RGB -> boxes; H and W multiples of 32.

    In evaluation mode returns `((auxiliary, main), (auxiliary maps, main maps))`: the predictions
    of the two branches, of which the second is meant, are (B, N, 4 + num_classes) of centre x,
    centre y, width, height in pixels of the input, class scores; the raw maps, at 1/8, 1/16 and
    1/32, are (B, 64 + num_classes, H / stride, W / stride). In training mode returns the raw maps
    alone.

    Args:
        size: "t", "s", "m", "c" or "e".
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the raw maps undecoded in evaluation mode too.
        width: factor on the blocks' outer channels, 1.0 in all sizes.

    Raises:
        ValueError: an unknown size, or a width not above 0.
    """
    scale = scale_of("yolov9", _SCALES, size, width)
    table, sources = _TABLES[size]
    last = head(lambda read: DualHead(read, num_classes, (8, 16, 32), decode), *sources)
    return TableNetwork((*table(), last), scale, in_channels)
