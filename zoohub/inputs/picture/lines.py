"""Pictures of a line of text, as high as the network's input and as wide as they then are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zoohub.inputs.picture.resize import resize, resize_values
from zoohub.manifest.entry import InputContract, LineContract

Pixels = NDArray[np.uint8]
Values = NDArray[np.float32]


def turned(pixels: Pixels, above: float | None) -> Pixels:
    """The picture (H, W, C), turned by 90° to the left where it is more than `above` times as high
    as wide."""
    if above is None or pixels.shape[0] <= above * pixels.shape[1]:
        return pixels
    return np.ascontiguousarray(np.rot90(pixels))


def line_width(picture: tuple[int, int], size: tuple[int, int], line: LineContract) -> int:
    """How many pixels of the input's width a picture of (height, width) takes.

    >>> line_width((24, 100), (48, 320), LineContract())
    200
    """
    width = math.ceil(size[0] / picture[0] * picture[1])
    if line.multiple is not None:
        width = round(width / line.multiple) * line.multiple
    return min(max(width, line.narrowest), line.widest or size[1])


def line_array(pixels: Pixels, width: int, contract: InputContract, values: Values) -> Values:
    """(channels, height, W) of a picture (H, W, C): `width` pixels wide, then filled up to the
    input's own width. `values` (channels, 256) is what each grey level becomes."""
    assert contract.size is not None
    assert contract.line is not None
    height, whole = contract.size
    placed = np.empty((pixels.shape[2], height, max(width, whole)), np.float32)
    if contract.line.normalised_first:
        rows = np.stack([table[pixels[:, :, i]] for i, table in enumerate(values)], axis=2)
        placed[:, :, :width] = resize_values(rows, height, width).transpose(2, 0, 1)
    else:
        small = resize(pixels, height, width, contract.interpolation or "bilinear")
        for channel, table in enumerate(values):
            placed[channel, :, :width] = table[small[:, :, channel]]
    if contract.line.padding == "edge":
        placed[:, :, width:] = placed[:, :, width - 1, None]
    else:
        placed[:, :, width:] = line_padding(contract, values)[:, None, None]
    return placed


def line_padding(contract: InputContract, values: Values) -> Values:
    """(channels,): the value of what is filled up, where that is the same everywhere."""
    assert contract.line is not None
    return values[:, 0] if contract.line.padding == "black" else np.zeros(len(values), np.float32)


def side_by_side(lines: Sequence[Values], padding: Values, width: int) -> Values:
    """Lines (channels, height, W) of at most that width as one array (N, channels, height, width),
    filled up with a value a channel."""
    channels, height, _ = lines[0].shape
    stacked = np.empty((len(lines), channels, height, width), np.float32)
    for row, line in zip(stacked, lines, strict=True):
        row[:, :, : line.shape[2]] = line
        row[:, :, line.shape[2] :] = padding[:, None, None]
    return stacked
