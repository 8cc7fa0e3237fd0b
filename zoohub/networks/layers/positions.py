"""Positions that are computed, not learnt. Plain NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sine_embedding(grid: int, channels: int) -> NDArray[np.float64]:
    """Sines and cosines of the places of a square grid, row by row: (grid², channels).

    The first half of the channels tells the column, the second the row; of each half the first
    half are sines. Wavelengths run from 2π to 20000π.
    """
    quarter = channels // 4
    steps = np.arange(quarter, dtype=np.float32) / np.float32(channels / 4)
    frequencies = np.float32(1.0) / np.float32(10000) ** steps
    places = np.arange(grid, dtype=np.float32)
    angles = np.outer(places, frequencies)
    line = np.concatenate((np.sin(angles), np.cos(angles)), axis=1)
    rows, columns = np.repeat(line, grid, axis=0), np.tile(line, (grid, 1))
    return np.concatenate((columns, rows), axis=1).astype(np.float64)
