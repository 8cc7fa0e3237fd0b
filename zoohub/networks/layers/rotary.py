"""Positions as rotations of queries and keys.

Source: Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding" (2021). The
first half of a head's channels are turned with the second half, as in published LLaMA weights.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops


class Rotary(nn.Cell):
    """(B, H, L, D) and places (L,) or (B, L) -> the same, turned by each token's place; `longest`
    tokens at most."""

    def __init__(self, channels: int, longest: int, theta: float = 10000.0) -> None:
        super().__init__()
        steps = np.arange(0, channels, 2, dtype=np.float32) / np.float32(channels)
        angles = np.outer(np.arange(longest, dtype=np.float32), 1.0 / theta**steps)
        both = np.concatenate((angles, angles), axis=1).astype(np.float32)
        self.cos = Tensor(np.cos(both))
        self.sin = Tensor(np.sin(both))
        self.half = channels // 2

    def construct(self, x: Tensor, places: Tensor) -> Tensor:
        cos, sin = of_places(self.cos, places), of_places(self.sin, places)
        turned = ops.concat((-x[..., self.half :], x[..., : self.half]), -1)
        return x * cos + turned * sin


def of_places(table: Tensor, places: Tensor) -> Tensor:
    """The rows (places, D) of a table for heads (B, H, L, D): (L, D) or (B, 1, L, D)."""
    rows = ops.gather(table, places, 0)
    return rows if places.ndim == 1 else ops.expand_dims(rows, 1)
