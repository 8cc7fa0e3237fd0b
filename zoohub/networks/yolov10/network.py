"""YOLOv10 as mindyolo publishes it: n, s, m, b, l, x.

Source: Wang et al., "YOLOv10: Real-Time End-to-End Object Detection" (2024); tables and names are
those of mindyolo's configurations.
"""

from __future__ import annotations

from zoohub.networks.layers.csp import C2f
from zoohub.networks.layers.layer_table import Row, Scale, TableNetwork, row, scale_of
from zoohub.networks.layers.pixel_attention import PSA
from zoohub.networks.layers.yolo_rows import c2f, concat, conv, head, sppf, upsample
from zoohub.networks.yolov10.blocks import CompactInvertedBlock, SpatialDown, TwoHeads

_SCALES = {
    "n": Scale(depth=0.33, width=0.25, max_channels=1024),
    "s": Scale(depth=0.33, width=0.5, max_channels=1024),
    "m": Scale(depth=0.67, width=0.75, max_channels=768),
    "b": Scale(depth=0.67, width=1.0, max_channels=512),
    "l": Scale(depth=1.0, width=1.0, max_channels=512),
    "x": Scale(depth=1.0, width=1.25, max_channels=512),
}
# The rows whose blocks are compact ones.
_COMPACT = {
    "n": (22,),
    "s": (8, 22),
    "m": (8, 19, 22),
    "b": (8, 13, 19, 22),
    "l": (8, 13, 19, 22),
    "x": (6, 8, 13, 19, 22),
}
_LARGE_KERNELS = "ns"


def down(channels: int) -> Row:
    """Half of the size, the channels first."""
    return row(SpatialDown, channels)


def _table(size: str) -> tuple[Row, ...]:
    large = size in _LARGE_KERNELS

    def block(index: int, channels: int, repeats: int, shortcut: bool = False) -> Row:
        """Row `index`: a C2f of compact blocks, which all have shortcuts, or of bottlenecks."""
        if index not in _COMPACT[size]:
            return c2f(channels, repeats, shortcut)
        return row(
            C2f,
            channels,
            repeats=repeats,
            block=lambda hidden: CompactInvertedBlock(hidden, True, large),
        )

    # fmt: off
    return (
        conv(64),                                                             # 0: 1/2
        conv(128), c2f(128, 3, True),                                         # 2: 1/4
        conv(256), c2f(256, 6, True),                                         # 4: 1/8
        down(512), block(6, 512, 6, True),                                    # 6: 1/16
        down(1024), block(8, 1024, 3, True), sppf(1024), row(PSA, 1024),      # 10: 1/32
        upsample(), concat(-1, 6), block(13, 512, 3),                         # 13: 1/16
        upsample(), concat(-1, 4), c2f(256, 3),                               # 16: 1/8
        conv(256), concat(-1, 13), block(19, 512, 3),                         # 19: 1/16
        down(512), concat(-1, 10), block(22, 1024, 3),                        # 22: 1/32
    )
    # fmt: on


def yolov10(
    size: str = "s",
    num_classes: int = 80,
    in_channels: int = 3,
    decode: bool = True,
    max_detections: int = 300,
    width: float | None = None,
    depth: float | None = None,
) -> TableNetwork:
    """YOLOv10: float32 (B, in_channels, H, W) in 0..1, RGB -> boxes; H and W multiples of 32.

    In evaluation mode returns `(found, (many, one))`: found is (B, max_detections, 6) of left, top,
    right, bottom in pixels of the input, score, class, best first; `many` and `one` are the raw
    maps of the two heads, each a tuple of (B, 64 + num_classes, H / stride, W / stride) at 1/8,
    1/16 and 1/32. In training mode returns `(many, one)` alone.

    Args:
        size: "n", "s", "m", "b", "l" or "x".
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the raw maps undecoded in evaluation mode too.
        max_detections: boxes a picture; of one with fewer cells (189 at 96×96 pixels) some have a
            score of 0.
        width: factor on the channels, instead of the size's own (n: 0.25).
        depth: factor on the blocks' repeats, instead of the size's own (n: 0.33).

    Raises:
        ValueError: an unknown size, or a width or depth not above 0.
    """
    scale = scale_of("yolov10", _SCALES, size, width, depth)
    last = head(
        lambda read: TwoHeads(read, num_classes, (8, 16, 32), decode, max_detections), 16, 19, 22
    )
    return TableNetwork((*_table(size), last), scale, in_channels)
