"""YOLOv7 as mindyolo publishes it: tiny, l, x at three levels; w6, e6, d6, e6e at four.

Source: Wang et al., "YOLOv7: Trainable Bag-of-Freebies Sets New State-of-the-Art for Real-Time
Object Detectors" (2022); tables, names and anchors are those of mindyolo's configurations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mindspore import nn

from zoohub.networks.layers.anchor_head import Anchors
from zoohub.networks.layers.conv import Activation
from zoohub.networks.layers.layer_table import Row, Rows, Scale, TableNetwork, row, scale_of
from zoohub.networks.layers.reorg import Reorg
from zoohub.networks.layers.rep_conv import RepConv
from zoohub.networks.layers.yolo_rows import concat, conv, head, upsample
from zoohub.networks.yolov7.blocks import (
    Add,
    AuxiliaryHead,
    Halve,
    ImplicitHead,
    PyramidCSP,
    ZeroPadPool,
)

_TINY_ANCHORS: Anchors = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)
_P5_ANCHORS: Anchors = (
    ((12, 16), (19, 36), (40, 28)),
    ((36, 75), (76, 55), (72, 146)),
    ((142, 110), (192, 243), (459, 401)),
)
_P6_ANCHORS: Anchors = (
    ((19, 27), (44, 40), (38, 94)),
    ((96, 68), (86, 152), (180, 137)),
    ((140, 301), (303, 264), (238, 542)),
    ((436, 615), (739, 380), (925, 792)),
)
_leaky = partial(nn.LeakyReLU, 0.1)


def elan(
    hidden: int,
    out_channels: int,
    depth: int = 4,
    inner: int | None = None,
    every: bool = False,
    act: Activation = nn.SiLU,
    start: int = -1,
) -> tuple[Row, ...]:
    """Two 1×1 convolutions of `hidden` channels, `depth` 3×3 ones of `inner` (None: as many) behind
    the second; both, and the outputs of every second 3×3 (or of `every` one), go into a last 1×1.

    `start` is where the block's input lies, as seen from its first row.
    """
    first = partial(conv, hidden, 1, 1, act=act)
    threes = [conv(inner or hidden, 3, 1, act=act) for _ in range(depth)]
    step = 1 if every else 2
    outputs = (*range(-1, -depth - 1, -step), -(depth + 1), -(depth + 2))
    return (
        *(first(source=start), first(source=start - 1)),
        *threes,
        concat(*outputs),
        conv(out_channels, 1, 1, act=act),
    )


def pool(kernel: int = 2, stride: int = 2) -> Row:
    """Max pooling to half of the size."""
    return Row(lambda read, scale: (nn.MaxPool2d(kernel, stride), read[0]))


def pool_and_conv(channels: int, *beside: int) -> tuple[Row, ...]:
    """Half of the size in two ways, `channels` each, and the maps `beside` with them."""
    return (
        *(pool(), conv(channels, 1, 1)),
        *(conv(channels, 1, 1, source=-3), conv(channels)),
        concat(-1, -3, *beside),
    )


def _tiny() -> tuple[Rows, tuple[int, ...]]:
    table = Rows()
    c = partial(conv, act=_leaky)
    block = partial(elan, depth=2, every=True, act=_leaky)

    def lateral(channels: int, source: int) -> tuple[Row, ...]:
        return (
            *(c(channels, 1, 1), upsample(), c(channels, 1, 1, source=source), concat(-1, -2)),
            *block(channels // 2, channels),
        )

    def spatial(kernel: int, source: int) -> Row:
        return Row(lambda read, scale: (ZeroPadPool(kernel), read[0]), (source,))

    table.put(c(32), c(64), *block(32, 64))  # 7: 1/4
    at_8 = table.put(pool(), *block(64, 128))  # 14: 1/8
    at_16 = table.put(pool(), *block(128, 256))  # 21: 1/16
    table.put(pool(), *block(256, 512))  # 28: 1/32
    table.put(c(256, 1, 1), c(256, 1, 1, source=-2))
    table.put(spatial(5, -1), spatial(9, -2), spatial(13, -3), concat(-1, -2, -3, -4))
    at_32 = table.put(c(256, 1, 1), concat(-1, -7), c(256, 1, 1))  # 37: 1/32
    middle = table.put(*lateral(128, at_16))  # 47: 1/16
    fine = table.put(*lateral(64, at_8))  # 57: 1/8
    middle = table.put(c(128), concat(-1, middle), *block(64, 128))  # 65: 1/16
    coarse = table.put(c(256), concat(-1, at_32), *block(128, 256))  # 73: 1/32
    sources = ((128, fine), (256, middle), (512, coarse))
    last = [table.put(c(width, 3, 1, source=source)) for width, source in sources]
    return table, tuple(last)


def _p5(
    base: int, depth: int, every: bool, output: Callable[..., Row]
) -> tuple[Rows, tuple[int, ...]]:
    """l (base 32) and x (40); `output` makes the rows before the head."""
    table = Rows()
    block = partial(elan, depth=depth)

    def neck(hidden: int, out_channels: int) -> tuple[Row, ...]:
        inner = hidden // 2 if every else hidden
        return block(hidden, out_channels, inner=inner, every=every)

    def lateral(channels: int, source: int) -> tuple[Row, ...]:
        return (
            *(conv(channels, 1, 1), upsample()),
            *(conv(channels, 1, 1, source=source), concat(-1, -2)),
        )

    table.put(conv(base, 3, 1), conv(2 * base), conv(2 * base, 3, 1))  # 1/2
    table.put(conv(4 * base), *block(64, 8 * base))  # 1/4
    at_8 = table.put(*pool_and_conv(4 * base), *block(128, 16 * base))
    at_16 = table.put(*pool_and_conv(8 * base), *block(256, 32 * base))
    table.put(*pool_and_conv(16 * base), *block(256, 32 * base))
    at_32 = table.put(row(PyramidCSP, 16 * base))
    middle = table.put(*lateral(8 * base, at_16), *neck(256, 8 * base))
    fine = table.put(*lateral(4 * base, at_8), *neck(128, 4 * base))
    middle = table.put(*pool_and_conv(4 * base, middle), *neck(256, 8 * base))
    coarse = table.put(*pool_and_conv(8 * base, at_32), *neck(512, 16 * base))
    sources = ((8 * base, fine), (16 * base, middle), (32 * base, coarse))
    return table, tuple([table.put(output(width, source)) for width, source in sources])


def _p6(base: int, depth: int, auxiliary: int, twice: bool = False) -> tuple[Rows, tuple[int, ...]]:
    """w6 (base 64), e6 and e6e (80), d6 (96). `auxiliary`: channels of the finest auxiliary map.

    w6, the shallowest, halves the size by a convolution alone. In e6e each block is `twice` there:
    the sum of two beside one another.
    """
    table = Rows()
    simple = depth == 4

    def down(channels: int) -> Row:
        return conv(channels) if simple else row(Halve, channels)

    def block(hidden: int, channels: int, inner: int | None = None) -> int:
        make = partial(elan, hidden, channels, depth, inner, every=inner is not None)
        last = table.put(*make())
        if twice:
            rows = depth + 4  # of a block
            total = Row(lambda read, scale: (Add(), read[0]), (-1, -1 - rows))
            last = table.put(*make(start=-1 - rows), total)
        return last

    def lateral(factor: int, source: int) -> int:
        channels, hidden = factor * base, 64 * factor
        table.put(conv(channels, 1, 1), upsample())
        table.put(conv(channels, 1, 1, source=source), concat(-1, -2))
        return block(hidden, channels, hidden // 2)

    def join(factor: int, beside: int, halve: Callable[[int], Row] = down) -> int:
        hidden = 64 * factor
        table.put(halve(factor * base), concat(-1, beside))
        return block(hidden, factor * base, hidden // 2)

    table.put(Row(lambda read, scale: (Reorg(), 4 * read[0])), conv(base, 3, 1))  # 1/2
    stages = []
    for hidden, factor in ((64, 2), (128, 4), (256, 8), (384, 12), (512, 16)):
        table.put(down(factor * base))
        stages.append(block(hidden, factor * base))
    _, at_8, at_16, at_32, _ = stages
    at_64 = table.put(row(PyramidCSP, 8 * base))
    middle32 = lateral(6, at_32)
    middle16 = lateral(4, at_16)
    fine = lateral(2, at_8)
    up16 = join(4, middle16)
    up32 = join(6, middle32)
    up64 = join(8, at_64, conv if twice else down)
    last = [
        table.put(conv(factor * base, 3, 1, source=source))
        for factor, source in ((4, fine), (8, up16), (12, up32), (16, up64))
    ]
    # Of two blocks beside one another the auxiliary maps see the second alone.
    back = 1 if twice else 0
    early = (fine - back, middle16 - back, middle32 - back, at_64)
    for level, source in enumerate(early):
        last.append(table.put(conv((level + 1) * auxiliary, 3, 1, source=source)))
    return table, tuple(last)


_TABLES: dict[str, Callable[[], tuple[Rows, tuple[int, ...]]]] = {
    "tiny": _tiny,
    "l": lambda: _p5(32, 4, True, lambda width, source: row(RepConv, width, source=source)),
    "x": lambda: _p5(40, 6, False, lambda width, source: conv(width, 3, 1, source=source)),
    "w6": lambda: _p6(64, 4, 320),
    "e6": lambda: _p6(80, 6, 320),
    "d6": lambda: _p6(96, 8, 384),
    "e6e": lambda: _p6(80, 6, 320, twice=True),
}
_SCALES = {size: Scale(depth=1.0, width=1.0) for size in _TABLES}


def yolov7(
    size: str = "l",
    num_classes: int = 80,
    in_channels: int = 3,
    decode: bool = True,
    width: float | None = None,
) -> TableNetwork:
    """YOLOv7: float32 (B, in_channels, H, W) in 0..1, RGB -> boxes.

    In evaluation mode returns `(decoded, raw maps)`: decoded is (B, N, 5 + num_classes) of centre
    x, centre y, width, height in pixels of the input, objectness, class scores; the raw maps, one
    a level from fine to coarse, are (B, 3, H / stride, W / stride, 5 + num_classes). In training
    mode returns the raw maps alone, those of w6, e6, d6 and e6e followed by the auxiliary ones.

    Args:
        size: "tiny", "l" or "x" (strides 8, 16, 32); "w6", "e6", "d6" or "e6e" (and stride 64).
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the raw maps undecoded in evaluation mode too.
        width: factor on the channels, 1.0 in all sizes.

    Raises:
        ValueError: an unknown size, or a width not above 0.
    """
    scale = scale_of("yolov7", _SCALES, size, width)
    table, sources = _TABLES[size]()
    make, anchors, strides = (
        (AuxiliaryHead, _P6_ANCHORS, (8, 16, 32, 64))
        if len(sources) == 8
        else (ImplicitHead, _TINY_ANCHORS if size == "tiny" else _P5_ANCHORS, (8, 16, 32))
    )
    table.put(head(lambda read: make(read, num_classes, anchors, strides, decode), *sources))
    return TableNetwork(table, scale, in_channels)
