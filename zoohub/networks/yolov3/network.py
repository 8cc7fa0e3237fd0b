"""YOLOv3 as mindyolo publishes it: Darknet-53 with YOLOv5's head and box decoding.

Source: Redmon and Farhadi, "YOLOv3: An Incremental Improvement" (2018), in the form of Ultralytics
and mindyolo, whose table, names and anchors these are.
"""

from __future__ import annotations

from zoohub.networks.layers.anchor_head import AnchorHead, Anchors
from zoohub.networks.layers.layer_table import Scale, TableNetwork, scale_of
from zoohub.networks.layers.yolo_rows import bottlenecks, concat, conv, head, upsample

_SCALES = {"darknet53": Scale(depth=1.0, width=1.0)}
_ANCHORS: Anchors = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)

# fmt: off
_TABLE = (
    conv(32, 3, 1),                                                       # 0: 1/1
    conv(64), bottlenecks(64),                                            # 2: 1/2
    conv(128), bottlenecks(128, 2),                                       # 4: 1/4
    conv(256), bottlenecks(256, 8),                                       # 6: 1/8
    conv(512), bottlenecks(512, 8),                                       # 8: 1/16
    conv(1024), bottlenecks(1024, 4),                                     # 10: 1/32
    bottlenecks(1024, 1, False), conv(512, 1, 1), conv(1024, 3, 1),
    conv(512, 1, 1), conv(1024, 3, 1),                                    # 15: 1/32
    conv(256, 1, 1, source=14), upsample(), concat(-1, 8),
    bottlenecks(512, 1, False), bottlenecks(512, 1, False),
    conv(256, 1, 1), conv(512, 3, 1),                                     # 22: 1/16
    conv(128, 1, 1, source=21), upsample(), concat(-1, 6),
    bottlenecks(256, 1, False), bottlenecks(256, 2, False),               # 27: 1/8
)
# fmt: on


def yolov3(
    num_classes: int = 80,
    in_channels: int = 3,
    decode: bool = True,
    width: float | None = None,
    depth: float | None = None,
) -> TableNetwork:
    """YOLOv3: float32 (B, in_channels, H, W) in 0..1, RGB -> boxes; H and W multiples of 32.

    In evaluation mode returns `(decoded, raw maps)`: decoded is (B, N, 5 + num_classes) of centre
    x, centre y, width, height in pixels of the input, objectness, class scores; the raw maps, at
    1/8, 1/16 and 1/32, are (B, 3, H / stride, W / stride, 5 + num_classes). In training mode
    returns the raw maps alone.

    Args:
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the raw maps undecoded in evaluation mode too.
        width: factor on the channels.
        depth: factor on the blocks' repeats.

    Raises:
        ValueError: a width or depth not above 0.
    """
    scale = scale_of("yolov3", _SCALES, "darknet53", width, depth)
    last = head(
        lambda read: AnchorHead(read, num_classes, _ANCHORS, (8, 16, 32), decode), 27, 22, 15
    )
    return TableNetwork((*_TABLE, last), scale, in_channels)
