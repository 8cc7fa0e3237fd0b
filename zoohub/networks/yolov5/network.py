"""YOLOv5 as mindyolo publishes it: n, s, m, l, x at three levels, n6 to x6 at four.

Source: Ultralytics YOLOv5, release 6 (convolution stem, SPPF); tables, names and anchors are those
of mindyolo's configurations.
"""

from __future__ import annotations

from zoohub.networks.layers.anchor_head import AnchorHead, Anchors
from zoohub.networks.layers.layer_table import Row, Scale, TableNetwork, scale_of
from zoohub.networks.layers.yolo_rows import c3, concat, conv, head, sppf, upsample

_P5_SCALES = {
    "n": Scale(depth=0.33, width=0.25),
    "s": Scale(depth=0.33, width=0.5),
    "m": Scale(depth=0.67, width=0.75),
    "l": Scale(depth=1.0, width=1.0),
    "x": Scale(depth=1.33, width=1.25),
}
_SCALES = {**_P5_SCALES, **{f"{size}6": scale for size, scale in _P5_SCALES.items()}}

# fmt: off
_STEM = (
    conv(64, 6, 2, 2),                                                    # 0: 1/2
    conv(128), c3(128, 3),                                                # 2: 1/4
    conv(256), c3(256, 6),                                                # 4: 1/8
    conv(512), c3(512, 9),                                                # 6: 1/16
)
_P5 = (
    *_STEM,
    conv(1024), c3(1024, 3), sppf(1024),                                  # 9: 1/32
    conv(512, 1, 1), upsample(), concat(-1, 6), c3(512, 3, False),        # 13: 1/16
    conv(256, 1, 1), upsample(), concat(-1, 4), c3(256, 3, False),        # 17: 1/8
    conv(256), concat(-1, 14), c3(512, 3, False),                         # 20: 1/16
    conv(512), concat(-1, 10), c3(1024, 3, False),                        # 23: 1/32
)


def _p6(at_32: int) -> tuple[Row, ...]:
    """`at_32`: channels of the second block at 1/32, where x6 differs from the rest."""
    return (
        *_STEM,
        conv(768), c3(768, 3),                                                # 8: 1/32
        conv(1024), c3(1024, 3), sppf(1024),                                  # 11: 1/64
        conv(768, 1, 1), upsample(), concat(-1, 8), c3(768, 3, False),        # 15: 1/32
        conv(512, 1, 1), upsample(), concat(-1, 6), c3(512, 3, False),        # 19: 1/16
        conv(256, 1, 1), upsample(), concat(-1, 4), c3(256, 3, False),        # 23: 1/8
        conv(256), concat(-1, 20), c3(512, 3, False),                         # 26: 1/16
        conv(512), concat(-1, 16), c3(at_32, 3, False),                       # 29: 1/32
        conv(768), concat(-1, 12), c3(1024, 3, False),                        # 32: 1/64
    )


# fmt: on
_P5_ANCHORS: Anchors = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)
_P6_ANCHORS: Anchors = (
    ((19, 27), (44, 40), (38, 94)),
    ((96, 68), (86, 152), (180, 137)),
    ((140, 301), (303, 264), (238, 542)),
    ((436, 615), (739, 380), (925, 792)),
)


def yolov5(
    size: str = "s",
    num_classes: int = 80,
    in_channels: int = 3,
    decode: bool = True,
    width: float | None = None,
    depth: float | None = None,
) -> TableNetwork:
    """YOLOv5: float32 (B, in_channels, H, W) in 0..1, RGB -> boxes.

    In evaluation mode returns `(decoded, raw maps)`: decoded is (B, N, 5 + num_classes) of centre
    x, centre y, width, height in pixels of the input, objectness, class scores; the raw maps, one
    a level from fine to coarse, are (B, 3, H / stride, W / stride, 5 + num_classes). In training
    mode returns the raw maps alone.

    Args:
        size: "n", "s", "m", "l" or "x" (strides 8, 16, 32), or one of these with "6" behind it
            (and stride 64).
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the raw maps undecoded in evaluation mode too; ONNX files of such a
            network take any height and width.
        width: factor on the channels, instead of the size's own (n: 0.25).
        depth: factor on the blocks' repeats, instead of the size's own (n: 0.33).

    Raises:
        ValueError: an unknown size, or a width or depth not above 0.
    """
    scale = scale_of("yolov5", _SCALES, size, width, depth)
    table, sources, anchors, strides = (
        (_p6(768 if size == "x6" else 1024), (23, 26, 29, 32), _P6_ANCHORS, (8, 16, 32, 64))
        if size.endswith("6")
        else (_P5, (17, 20, 23), _P5_ANCHORS, (8, 16, 32))
    )
    last = head(lambda read: AnchorHead(read, num_classes, anchors, strides, decode), *sources)
    return TableNetwork((*table, last), scale, in_channels)
