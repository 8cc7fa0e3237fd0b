"""A first convolution over other input channels than it was trained with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoohub.checkpoint.weights import Array


def can_adapt(file: tuple[int, ...], network: tuple[int, ...], channels: int) -> bool:
    """Whether a convolution's weights (out, in, height, width) can take other channels.

    The network's input axis may be a multiple of `channels`: a stem that first folds pixels into
    channels has all channels of one pixel after those of the other.
    """
    if len(file) != 4 or len(network) != 4 or file[0] != network[0] or file[2:] != network[2:]:
        return False
    folds, odd = divmod(network[1], channels)
    return not odd and folds > 0 and file[1] > 0 and file[1] % folds == 0


def adapt_channels(weights: Array, shape: tuple[int, ...], channels: int) -> Array:
    """The weights for `channels` input channels: summed for one, else repeated and scaled.

    A grey picture gives with one channel what it gave as three equal ones; a picture repeated
    to more channels keeps the size of what comes out.
    """
    import numpy as np  # commands that only list models import this module

    out, _, *kernel = shape
    folds = shape[1] // channels
    given = weights.astype(np.float64).reshape(out, folds, -1, *kernel)
    before = given.shape[2]
    if channels == 1:
        found = given.sum(axis=2, keepdims=True)
    else:
        chosen = np.arange(channels) % before
        found = given[:, :, chosen] * (before / channels)
    result: Array = found.reshape(shape).astype(weights.dtype)
    return result
