"""Places in a row, told by sines and cosines. Plain NumPy."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import DTypeLike, NDArray


def sinusoids(places: int, channels: int, dtype: DTypeLike = np.float64) -> NDArray[np.float32]:
    """(places, channels): sines in the even channels, cosines in the odd ones.

    Wavelengths run from 2π to 20000π. They are computed in `dtype`: in float32, as some publishers
    do, the angles of late places are off. Source: Vaswani et al., "Attention Is All You Need"
    (2017).
    """
    evens = np.arange(0, channels, 2, dtype=dtype)
    rates = np.exp(evens * np.asarray(-math.log(10000.0), dtype) / np.asarray(channels, dtype))
    angles = np.arange(places, dtype=dtype)[:, None] * rates
    return np.stack((np.sin(angles), np.cos(angles)), -1).reshape(places, -1).astype(np.float32)
