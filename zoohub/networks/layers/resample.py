"""Resizing of pictures and maps to sizes known beforehand, by operators that export everywhere."""

from __future__ import annotations

from mindspore import Tensor, ops
from mindspore import dtype as mstype


def resize_corners(x: Tensor, height: int, width: int) -> Tensor:
    """(B, C, H, W) -> (B, C, height, width), bilinear, the corners' pixels staying in the corners.

    Two products with matrices: unlike resizing operators they export and have gradients on
    every device.
    """
    if x.shape[2] == height and x.shape[3] == width:
        return x
    x = ops.matmul(x, ops.transpose(_line(x.shape[3], width), (1, 0)))
    return ops.matmul(_line(x.shape[2], height), x)


def _line(old: int, new: int) -> Tensor:
    """The (new, old) matrix that resamples a line: each new place weighs its two neighbours."""
    step = (old - 1) / max(1, new - 1)
    places = ops.reshape(ops.arange(new).astype(mstype.float32) * step, (new, 1))
    distance = ops.abs(places - ops.reshape(ops.arange(old).astype(mstype.float32), (1, old)))
    return ops.relu(1.0 - distance)
