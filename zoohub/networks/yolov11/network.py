"""YOLOv11 as mindyolo publishes it: n, s, m, l, x.

Source: Ultralytics YOLO11 (2024); tables and names are those of mindyolo's configurations.
"""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.layers.csp import C3, Bottleneck, C2f
from zoohub.networks.layers.distance_head import DistanceHead, light_branch
from zoohub.networks.layers.layer_table import Row, Scale, TableNetwork, row, scale_of
from zoohub.networks.layers.pixel_attention import C2PSA
from zoohub.networks.layers.yolo_rows import concat, conv, head, sppf, upsample

_SCALES = {
    "n": Scale(depth=0.5, width=0.25, max_channels=1024),
    "s": Scale(depth=0.5, width=0.5, max_channels=1024),
    "m": Scale(depth=0.5, width=1.0, max_channels=512),
    "l": Scale(depth=1.0, width=1.0, max_channels=512),
    "x": Scale(depth=1.0, width=1.5, max_channels=512),
}
_DEEP = "mlx"  # sizes all of whose C3k2 blocks hold C3 blocks


def _c3(channels: int) -> nn.Cell:
    return C3(channels, channels, 2, kernels=(3, 3))


def _bottleneck(channels: int) -> nn.Cell:
    return Bottleneck(channels, channels, kernels=(3, 3), expansion=0.5)


def c3k2(channels: int, deep: bool, expansion: float = 0.5) -> Row:
    """A C2f of two blocks: C3 where `deep`, else bottlenecks."""
    block = _c3 if deep else _bottleneck
    return row(C2f, channels, expansion=expansion, block=block, repeats=2)


# fmt: off
def _table(deep: bool) -> tuple[Row, ...]:
    return (
        conv(64),                                                             # 0: 1/2
        conv(128), c3k2(256, deep, 0.25),                                     # 2: 1/4
        conv(256), c3k2(512, deep, 0.25),                                     # 4: 1/8
        conv(512), c3k2(512, True),                                           # 6: 1/16
        conv(1024), c3k2(1024, True), sppf(1024), row(C2PSA, 1024, repeats=2),  # 10: 1/32
        upsample(), concat(-1, 6), c3k2(512, deep),                           # 13: 1/16
        upsample(), concat(-1, 4), c3k2(256, deep),                           # 16: 1/8
        conv(256), concat(-1, 13), c3k2(512, deep),                           # 19: 1/16
        conv(512), concat(-1, 10), c3k2(1024, True),                          # 22: 1/32
    )


# fmt: on
def yolov11(
    size: str = "s",
    num_classes: int = 80,
    in_channels: int = 3,
    decode: bool = True,
    width: float | None = None,
    depth: float | None = None,
) -> TableNetwork:
    """YOLOv11: float32 (B, in_channels, H, W) in 0..1, RGB -> boxes; H and W multiples of 32.

    In evaluation mode returns `(decoded, raw maps)`: decoded is (B, N, 4 + num_classes) of centre
    x, centre y, width, height in pixels of the input, class scores; the raw maps, at 1/8, 1/16 and
    1/32, are (B, 64 + num_classes, H / stride, W / stride). In training mode returns the raw maps
    alone.

    Args:
        size: "n", "s", "m", "l" or "x".
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the raw maps undecoded in evaluation mode too.
        width: factor on the channels, instead of the size's own (n: 0.25).
        depth: factor on the blocks' repeats, instead of the size's own (n: 0.5).

    Raises:
        ValueError: an unknown size, or a width or depth not above 0.
    """
    scale = scale_of("yolov11", _SCALES, size, width, depth)
    last = head(
        lambda read: DistanceHead(read, num_classes, (8, 16, 32), decode, light_branch), 16, 19, 22
    )
    return TableNetwork((*_table(size in _DEEP), last), scale, in_channels)
