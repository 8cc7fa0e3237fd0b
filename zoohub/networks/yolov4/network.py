"""YOLOv4 as mindyolo publishes it, with Mish and leaky ReLU or with SiLU throughout.

Source: Bochkovskiy et al., "YOLOv4: Optimal Speed and Accuracy of Object Detection" (2020); table,
names and anchors are those of mindyolo's configurations.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.anchor_head import split_anchors
from zoohub.networks.layers.conv import Activation
from zoohub.networks.layers.csp import Bottleneck
from zoohub.networks.layers.exponential_boxes import ExponentialBoxes
from zoohub.networks.layers.layer_table import Row, Scale, TableNetwork, row, scale_of
from zoohub.networks.layers.yolo_rows import bottlenecks, concat, conv, head, upsample
from zoohub.outputs.box_decoding import BoxDecoding, Level

_SCALES = {"cspdarknet53": Scale(depth=1.0, width=1.0)}
# Of the backbone and of what follows it.
_ACTIVATIONS: dict[str, tuple[Activation, Activation]] = {
    "mish": (nn.Mish, partial(nn.LeakyReLU, 0.1)),
    "silu": (nn.SiLU, nn.SiLU),
}
_PER_CELL = 3
# From coarse to fine
_LEVELS = (
    Level(32, ((142, 110), (192, 243), (459, 401)), 1.05),
    Level(16, ((36, 75), (76, 55), (72, 146)), 1.1),
    Level(8, ((12, 16), (19, 36), (40, 28)), 1.2),
)


def residuals(channels: int, repeats: int, act: Activation) -> Row:
    """Blocks of a 1×1 and a 3×3 convolution of all channels, added to the input."""

    def make(in_channels: int, out_channels: int, count: int) -> nn.Cell:
        blocks = [Bottleneck(in_channels, out_channels, act=act) for _ in range(count)]
        return blocks[0] if count == 1 else nn.SequentialCell(blocks)

    return row(make, channels, repeats=repeats)


def pool(kernel: int, source: int) -> Row:
    """Max pooling that keeps the size."""
    return Row(lambda read, scale: (nn.MaxPool2d(kernel, 1, "same"), read[0]), (source,))


def _stage(channels: int, inner: int, blocks: Row, last: int, act: Activation) -> tuple[Row, ...]:
    """Half of the size, then the blocks beside a way past them."""
    narrow = partial(conv, inner, 1, 1, act=act)
    return (
        conv(channels, act=act),
        *(narrow(), blocks, narrow(), narrow(source=-4), concat(-2, -1)),
        conv(last, 1, 1, act=act),
    )


def _table(act: Activation, neck_act: Activation) -> tuple[Row, ...]:
    here = partial(conv, act=neck_act)
    blocks = partial(bottlenecks, shortcut=False, act=neck_act)
    # fmt: off
    return (
        conv(32, 3, 1, act=act),                                              # 0: 1/1
        *_stage(64, 64, bottlenecks(64, act=act), 64, act),                   # 7: 1/2
        *_stage(128, 64, residuals(64, 2, act), 128, act),                    # 14: 1/4
        *_stage(256, 128, residuals(128, 8, act), 256, act),                  # 21: 1/8
        *_stage(512, 256, residuals(256, 8, act), 512, act),                  # 28: 1/16
        *_stage(1024, 512, residuals(512, 4, act), 1024, act),                # 35: 1/32
        blocks(1024), here(512, 1, 1), pool(5, -1), pool(9, -2), pool(13, -3),
        concat(-1, -2, -3, -4), here(512, 1, 1), here(1024, 3, 1), here(512, 1, 1),   # 44: 1/32
        here(256, 1, 1), upsample(), here(256, 1, 1, source=28), concat(-2, -1),
        blocks(512, 2), here(256, 1, 1),                                      # 50: 1/16
        here(128, 3, 1), upsample(), here(128, 1, 1, source=21), concat(-2, -1),
        blocks(256, 2), here(128, 1, 1), here(256, 3, 1),                     # 57: 1/8
        here(256, source=56), concat(-1, 50),
        blocks(512, 2), here(256, 1, 1), here(512, 3, 1),                     # 62: 1/16
        here(512, source=61), concat(-1, 44), blocks(1024, 3),                # 65: 1/32
    )
    # fmt: on


class ExponentialHead(nn.Cell):
    """One 1×1 convolution a level; in evaluation mode its maps are decoded to boxes.

    Takes a tuple of feature maps (B, C_i, H_i, W_i), from coarse to fine. Raw maps are (B, H_i,
    W_i, 3, 5 + classes): x, y, width, height, objectness, classes, all before the sigmoid. In
    training mode, or with `decode` False, returns the tuple of raw maps. In evaluation mode returns
    `(decoded, maps)`: decoded is (B, sum of 3·H_i·W_i, 5 + classes) of the box's centre, width and
    height in pixels of the input, objectness and class scores; `maps` are the same by level.
    """

    def __init__(self, channels: Sequence[int], num_classes: int, decode: bool = True) -> None:
        super().__init__()
        self.decodes = decode
        outputs = _PER_CELL * (5 + num_classes)
        self.m = nn.CellList(
            [nn.Conv2d(c, outputs, 1, pad_mode="valid", has_bias=True) for c in channels]
        )
        self.boxes = nn.CellList([ExponentialBoxes(level) for level in _LEVELS])

    def construct(self, features: tuple[Tensor, ...]) -> tuple[object, ...]:
        maps: tuple[Tensor, ...] = ()
        flat: tuple[Tensor, ...] = ()
        for level, predict in enumerate(self.m):
            raw = split_anchors(predict(features[level]), _PER_CELL)
            out = ops.transpose(raw, (0, 2, 3, 1, 4))
            if self.decodes and not self.training:
                out = self.boxes[level](out)
                _, height, width, _, values = out.shape
                flat = (*flat, ops.reshape(out, (-1, _PER_CELL * height * width, values)))
            maps = (*maps, out)
        return (ops.concat(flat, 1), maps) if self.decodes and not self.training else maps

    def box_decoding(self) -> BoxDecoding:
        """How the raw maps become boxes."""
        return BoxDecoding(_LEVELS, "exponential", anchor_axis=3)


def yolov4(
    activation: str = "mish",
    num_classes: int = 80,
    in_channels: int = 3,
    decode: bool = True,
    width: float | None = None,
    depth: float | None = None,
) -> TableNetwork:
    """YOLOv4: float32 (B, in_channels, H, W) in 0..1, RGB -> boxes; H and W multiples of 32.

    Returns what `ExponentialHead` does, from coarse to fine.

    Args:
        activation: "mish" (with leaky ReLU behind the backbone) or "silu".
        num_classes: classes, without a background class.
        in_channels: channels of the picture.
        decode: False leaves the raw maps undecoded in evaluation mode too.
        width: factor on the channels.
        depth: factor on the blocks' repeats.

    Raises:
        ValueError: an unknown activation, or a width or depth not above 0.
    """
    if activation not in _ACTIVATIONS:
        raise ValueError(f"yolov4 has activations {', '.join(_ACTIVATIONS)}, not {activation!r}")
    scale = scale_of("yolov4", _SCALES, "cspdarknet53", width, depth)
    last = head(lambda read: ExponentialHead(read, num_classes, decode), 65, 62, 57)
    return TableNetwork((*_table(*_ACTIVATIONS[activation]), last), scale, in_channels)
