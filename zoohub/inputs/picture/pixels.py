"""Pixels as a network takes them: its range, mean, std and layout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.manifest.entry import InputContract

Array = NDArray[np.float32]


def level_values(contract: InputContract, channels: int) -> Array:
    """(channels, 256): what each grey level becomes. Looking up is quicker than computing."""
    levels = np.arange(256, dtype=np.float32)
    if contract.value_range == "0..1":
        levels /= 255
    mean = np.asarray(contract.mean or (0,) * channels, np.float32)
    std = np.asarray(contract.std or (1,) * channels, np.float32)
    values: Array = (levels - mean[:, None]) / std[:, None]
    return values


def look_up(values: Array, pixels: NDArray[np.uint8], planes: Array) -> None:
    """Put each level's value into `planes` (C, H, W), of pixels (H, W, C)."""
    for channel, table in enumerate(values):
        # Every uint8 is a place in the table: with "clip", take writes straight into the plane.
        np.take(table, pixels[:, :, channel], out=planes[channel], mode="clip")


def normalise(pixels: NDArray[np.uint8], contract: InputContract) -> Array:
    """(H, W) or (H, W, C) in the contract's channel order -> its layout, range, mean, std."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    height, width, channels = pixels.shape
    planes = np.empty((channels, height, width), np.float32)
    look_up(level_values(contract, channels), pixels, planes)
    return planes if contract.layout == "NCHW" else planes.transpose(1, 2, 0)
