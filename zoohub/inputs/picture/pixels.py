"""Pixels as a network takes them: its range, mean, std and layout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zoohub.manifest.entry import InputContract

Array = NDArray[np.float32]


def normalise(pixels: NDArray[np.uint8], contract: InputContract) -> Array:
    """(H, W) or (H, W, C) in the contract's channel order -> its layout, range, mean, std.

    Each grey level is computed once and then looked up, which is quicker.
    """
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    channels = pixels.shape[2]
    values = np.arange(256, dtype=np.float32)
    if contract.value_range == "0..1":
        values /= 255
    mean = np.asarray(contract.mean or (0,) * channels, np.float32)
    std = np.asarray(contract.std or (1,) * channels, np.float32)
    tables = (values - mean[:, None]) / std[:, None]
    planes = np.empty((channels, *pixels.shape[:2]), np.float32)
    for channel, table in enumerate(tables):
        # Every uint8 is a place in the table: with "clip", take writes straight into the plane.
        np.take(table, pixels[:, :, channel], out=planes[channel], mode="clip")
    return planes if contract.layout == "NCHW" else planes.transpose(1, 2, 0)
