"""The rows that the YOLO families' tables are made of. Channels and repeats are before scaling."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mindspore import nn

from zoohub.networks.layers.conv import Activation, ConvNormAct, Padding
from zoohub.networks.layers.csp import C3, SPPF, Bottleneck, C2f
from zoohub.networks.layers.layer_table import Row, row
from zoohub.networks.layers.routing import Concat, CutConcat, Upsample2x


def conv(
    channels: int,
    kernel: int = 3,
    stride: int = 2,
    padding: Padding | int = "symmetric",
    source: int = -1,
    act: Activation = nn.SiLU,
) -> Row:
    """Convolution, batch norm, SiLU."""
    return row(ConvNormAct, channels, kernel, stride, padding, act=act, source=source)


def bottlenecks(
    channels: int, repeats: int = 1, shortcut: bool = True, act: Activation = nn.SiLU
) -> Row:
    """`repeats` bottlenecks, 1×1 to half of the channels and 3×3 back, one after another."""

    def make(in_channels: int, out_channels: int, count: int) -> nn.Cell:
        widths = [in_channels, *[out_channels] * (count - 1)]
        blocks = [
            Bottleneck(width, out_channels, shortcut, expansion=0.5, act=act) for width in widths
        ]
        return blocks[0] if count == 1 else nn.SequentialCell(blocks)

    return row(make, channels, repeats=repeats)


def c3(channels: int, repeats: int, shortcut: bool = True) -> Row:
    """A C3 block of `repeats` bottlenecks."""
    return row(C3, channels, shortcut, repeats=repeats)


def sppf(channels: int, kernel: int = 5) -> Row:
    """A fast spatial pyramid."""
    return row(SPPF, channels, kernel)


def upsample() -> Row:
    """Twice the height and width."""
    return Row(lambda read, scale: (Upsample2x(), read[0]))


def concat(*sources: int) -> Row:
    """The channels of several layers side by side."""
    return Row(lambda read, scale: (Concat(), sum(read)), sources)


def cut_concat(source: int) -> Row:
    """The channels of the layer before, cut to the size of another, and that one's."""
    return Row(lambda read, scale: (CutConcat(), sum(read)), (-1, source))


def c2f(channels: int, repeats: int, shortcut: bool = False) -> Row:
    """A C2f block of `repeats` bottlenecks."""
    return row(C2f, channels, shortcut, repeats=repeats)


def head(make: Callable[[Sequence[int]], nn.Cell], *sources: int) -> Row:
    """The last row: `make` gets the channels of the layers read."""
    return Row(lambda read, scale: (make(read), 0), sources)
