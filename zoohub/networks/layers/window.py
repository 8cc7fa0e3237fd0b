"""Attention within windows that shift from block to block.

Source: Liu et al., "Swin Transformer" (2021). A grid is (height, width) in tokens; windows are
square, `window` tokens a side, and divide it.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from numpy.typing import NDArray

from zoohub.networks.layers.dense import dense, layer_norm

Grid = tuple[int, int]
# What is added to the score of two tokens that only the shift brought into one window.
_APART = -100.0


def roll(x: Tensor, by: int) -> Tensor:
    """(B, H, W, C) moved up and left by `by` tokens, around the edges; down and right below 0."""
    x = ops.concat((x[:, by:], x[:, :by]), 1)
    return ops.concat((x[:, :, by:], x[:, :, :by]), 2)


def to_windows(x: Tensor, grid: Grid, window: int, shift: int = 0) -> Tensor:
    """(B, H·W, C) -> (B · windows, window², C), the picture moved up and left by `shift` first."""
    (height, width), channels = grid, x.shape[2]
    x = ops.reshape(x, (-1, height, width, channels))
    if shift > 0:
        x = roll(x, shift)
    x = ops.reshape(x, (-1, height // window, window, width // window, window, channels))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, window * window, channels))


def from_windows(x: Tensor, grid: Grid, window: int, shift: int = 0) -> Tensor:
    """(B · windows, window², C) -> (B, H·W, C): undoes `to_windows`."""
    (height, width), channels = grid, x.shape[2]
    x = ops.reshape(x, (-1, height // window, width // window, window, window, channels))
    x = ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height, width, channels))
    if shift > 0:
        x = roll(x, -shift)
    return ops.reshape(x, (-1, height * width, channels))


def mask_scores(scores: Tensor, mask: Tensor) -> Tensor:
    """(B · windows, heads, N, N) plus the mask (1, windows, 1, N, N)."""
    _, heads, tokens, _ = scores.shape
    scores = ops.reshape(scores, (-1, mask.shape[1], heads, tokens, tokens)) + mask
    return ops.reshape(scores, (-1, heads, tokens, tokens))


def shift_mask(grid: Grid, window: int, shift: int) -> NDArray[np.float32]:
    """(windows, N, N): what keeps tokens apart that were not neighbours before the shift."""
    bounds = (slice(0, -window), slice(-window, -shift), slice(-shift, None))
    region = np.zeros(grid)
    for row, rows in enumerate(bounds):
        for column, columns in enumerate(bounds):
            region[rows, columns] = 3 * row + column
    height, width = grid
    region = region.reshape(height // window, window, width // window, window)
    region = region.transpose(0, 2, 1, 3).reshape(-1, window * window)
    apart = region[:, None, :] != region[:, :, None]
    return np.where(apart, _APART, 0.0).astype(np.float32)


def distance_rows(window: int) -> NDArray[np.int32]:
    """(N, N): for each two of a window's tokens the row of their distance in a table.

    Such a table has (2·window - 1)² rows, one for each distance down and across.
    """
    down, across = (axis.reshape(-1) for axis in np.indices((window, window)))
    rows = (down[:, None] - down + window - 1) * (2 * window - 1)
    return (rows + across[:, None] - across + window - 1).astype(np.int32)


class PatchMerging(nn.Cell):
    """Four neighbours become one: (B, H·W, C) -> (B, H·W / 4, 2 C).

    `norm_last` puts the layer norm after the dense layer, as version 2 does.
    """

    def __init__(self, grid: Grid, channels: int, norm_eps: float, norm_last: bool) -> None:
        super().__init__()
        self.grid = grid
        self.norm_last = norm_last
        self.reduction = dense(4 * channels, 2 * channels, bias=False)
        self.norm = layer_norm((2 if norm_last else 4) * channels, norm_eps)

    def construct(self, x: Tensor) -> Tensor:
        height, width = self.grid
        channels = x.shape[2]
        x = ops.reshape(x, (-1, height // 2, 2, width // 2, 2, channels))
        x = ops.transpose(x, (0, 1, 3, 4, 2, 5))
        x = ops.reshape(x, (-1, height * width // 4, 4 * channels))
        return self.norm(self.reduction(x)) if self.norm_last else self.reduction(self.norm(x))
