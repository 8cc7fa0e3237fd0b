"""Places in a row, told by sines and cosines. Plain NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sinusoids(places: int, channels: int) -> NDArray[np.float32]:
    """(places, channels): sines in the even channels, cosines in the odd ones.

    Wavelengths run from 2π to 20000π. Source: Vaswani et al., "Attention Is All You Need" (2017).
    """
    rates = np.exp(-np.arange(0, channels, 2) * np.log(10000.0) / channels)
    angles = np.arange(places)[:, None] * rates
    return np.stack((np.sin(angles), np.cos(angles)), -1).reshape(places, -1).astype(np.float32)
