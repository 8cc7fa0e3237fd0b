"""YOLOv8 as mindyolo publishes it: n, s, m, l, x at three levels, and each with "6" at four.

Source: Ultralytics YOLOv8 (2023); tables and names are those of mindyolo's configurations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from mindspore import nn

from zoohub.networks.layers.csp import C2
from zoohub.networks.layers.distance_head import DistanceHead
from zoohub.networks.layers.layer_table import Row, Scale, TableNetwork, row, scale_of
from zoohub.networks.layers.yolo_rows import c2f, concat, conv, cut_concat, head, sppf, upsample
from zoohub.networks.yolov8.masks import MaskHead

_P5_SCALES = {
    "n": Scale(depth=0.33, width=0.25, max_channels=1024),
    "s": Scale(depth=0.33, width=0.5, max_channels=1024),
    "m": Scale(depth=0.67, width=0.75, max_channels=768),
    "l": Scale(depth=1.0, width=1.0, max_channels=512),
    "x": Scale(depth=1.0, width=1.25, max_channels=512),
}
_SCALES = {**_P5_SCALES, **{f"{size}6": scale for size, scale in _P5_SCALES.items()}}
_PROTOTYPE_CHANNELS = 256


def c2(channels: int, repeats: int) -> Row:
    """A C2 block of `repeats` bottlenecks without shortcuts."""
    return row(C2, channels, False, repeats=repeats)


# fmt: off
_STEM = (
    conv(64),                                                             # 0: 1/2
    conv(128), c2f(128, 3, True),                                         # 2: 1/4
    conv(256), c2f(256, 6, True),                                         # 4: 1/8
    conv(512), c2f(512, 6, True),                                         # 6: 1/16
)
_P5 = (
    *_STEM,
    conv(1024), c2f(1024, 3, True), sppf(1024),                           # 9: 1/32
    upsample(), concat(-1, 6), c2f(512, 3),                               # 12: 1/16
    upsample(), concat(-1, 4), c2f(256, 3),                               # 15: 1/8
    conv(256), concat(-1, 12), c2f(512, 3),                               # 18: 1/16
    conv(512), concat(-1, 9), c2f(1024, 3),                               # 21: 1/32
)


def _p6(block: Callable[[int, int], Row], join: Callable[[int], Row]) -> tuple[Row, ...]:
    """A fourth stride; the neck's blocks are what `block` makes of channels and repeats, and
    `join` puts the coarsest map beside another layer's."""
    return (
        *_STEM,
        conv(768), c2f(768, 3, True),                                         # 8: 1/32
        conv(1024), c2f(1024, 3, True), sppf(1024),                           # 11: 1/64
        upsample(), join(8), block(768, 3),                                   # 14: 1/32
        upsample(), concat(-1, 6), block(512, 3),                             # 17: 1/16
        upsample(), concat(-1, 4), block(256, 3),                             # 20: 1/8
        conv(256), concat(-1, 17), block(512, 3),                             # 23: 1/16
        conv(512), concat(-1, 14), block(768, 3),                             # 26: 1/32
        conv(768), concat(-1, 11), block(1024, 3),                            # 29: 1/64
    )


# fmt: on
def yolov8(
    size: str = "s",
    num_classes: int = 80,
    in_channels: int = 3,
    decode: bool = True,
    masks: bool = False,
    width: float | None = None,
    depth: float | None = None,
    dense_neck: bool = False,
) -> TableNetwork:
    """YOLOv8: float32 (B, in_channels, H, W) in 0..1, RGB -> boxes.

    In evaluation mode returns `(decoded, raw maps)`: decoded is (B, N, 4 + num_classes) of centre
    x, centre y, width, height in pixels of the input, class scores; the raw maps, one a level from
    fine to coarse, are (B, 64 + num_classes, H / stride, W / stride). In training mode returns the
    raw maps alone. With `masks`, see `MaskHead`.

    Args:
        size: "n", "s", "m", "l" or "x" (strides 8, 16, 32), or one of these with "6" behind it
            (and stride 64).
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the raw maps undecoded in evaluation mode too.
        masks: say the boxes' masks too: instance segmentation.
        width: factor on the channels, instead of the size's own (n: 0.25).
        depth: factor on the blocks' repeats, instead of the size's own (n: 0.33).
        dense_neck: with stride 64 the neck is MindOCR's: it has C2f blocks and not C2, and takes
            sides that are multiples of 32.

    Raises:
        ValueError: an unknown size, or a width or depth not above 0.
    """
    scale = scale_of("yolov8", _SCALES, size, width, depth)
    neck = (c2f, cut_concat) if dense_neck else (c2, partial(concat, -1))
    table, sources, strides = (
        (_p6(*neck), (20, 23, 26, 29), (8, 16, 32, 64))
        if size.endswith("6")
        else (_P5, (15, 18, 21), (8, 16, 32))
    )

    def last(read: Sequence[int]) -> nn.Cell:
        if masks:
            prototypes = scale.channels(_PROTOTYPE_CHANNELS)
            return MaskHead(read, num_classes, strides, prototypes, decode)
        return DistanceHead(read, num_classes, strides, decode)

    return TableNetwork((*table, head(last, *sources)), scale, in_channels)
