"""The rows that the YOLO families' tables are made of. Channels and repeats are before scaling."""

from __future__ import annotations

from zoohub.networks.detection.layer_table import Row
from zoohub.networks.layers.conv import ConvNormAct, Padding
from zoohub.networks.layers.csp import C3, SPPF
from zoohub.networks.layers.routing import Concat, Upsample2x


def conv(
    channels: int, kernel: int = 3, stride: int = 2, padding: Padding | int = "symmetric"
) -> Row:
    """Convolution, batch norm, SiLU."""
    return Row(
        lambda read, scale: (
            ConvNormAct(read[0], scale.channels(channels), kernel, stride, padding),
            scale.channels(channels),
        )
    )


def c3(channels: int, repeats: int, shortcut: bool = True) -> Row:
    """A C3 block of `repeats` bottlenecks."""
    return Row(
        lambda read, scale: (
            C3(read[0], scale.channels(channels), scale.repeats(repeats), shortcut),
            scale.channels(channels),
        )
    )


def sppf(channels: int, kernel: int = 5) -> Row:
    """A fast spatial pyramid."""
    return Row(
        lambda read, scale: (
            SPPF(read[0], scale.channels(channels), kernel),
            scale.channels(channels),
        )
    )


def upsample() -> Row:
    """Twice the height and width."""
    return Row(lambda read, scale: (Upsample2x(), read[0]))


def concat(*sources: int) -> Row:
    """The channels of several layers side by side."""
    return Row(lambda read, scale: (Concat(), sum(read)), sources)
