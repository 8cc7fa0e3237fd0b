"""Attention among channels, and the positions that go with it.

Source: El-Nouby et al., "XCiT: Cross-Covariance Image Transformers" (2021). Parameter names are
those of mindcv.
"""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer
from numpy.typing import NDArray

from zoohub.networks.layers.attention import merge_heads, scores, split_heads, weighted_sum
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.patch_embed import to_tokens

_SMALLEST_SQUARE = 1e-4  # what MindSpore's L2Normalize takes
_WAVES = 32  # sines and cosines for each axis


def fourier_positions(grid: int) -> NDArray[np.float32]:
    """Sines and cosines of the row, then of the column: (1, 2·_WAVES, grid, grid)."""
    line = np.arange(1, grid + 1, dtype=np.float32) / np.float32(grid + 1e-6) * (2 * np.pi)
    lengths = 10000.0 ** (2 * (np.arange(_WAVES) // 2) / _WAVES)
    angles = line.astype(np.float32)[:, None] / lengths.astype(np.float32)
    waves = np.where(np.arange(_WAVES) % 2 == 0, np.sin(angles), np.cos(angles)).T
    rows = np.broadcast_to(waves[:, :, None], (_WAVES, grid, grid))
    columns = np.broadcast_to(waves[:, None, :], (_WAVES, grid, grid))
    return np.concatenate((rows, columns))[None].astype(np.float32)


class FourierEmbedding(nn.Cell):
    """Positions as tokens (1, H·W, channels), for a square grid."""

    def __init__(self, grid: int, channels: int) -> None:
        super().__init__()
        self.token_projection = conv2d(2 * _WAVES, channels, 1, bias=True)
        self.positions = Tensor(fourier_positions(grid))

    def construct(self) -> Tensor:
        return to_tokens(self.token_projection(self.positions))


def _unit(x: Tensor) -> Tensor:
    """Vectors of the last axis brought to length 1, shorter ones than 0.01 to less."""
    return x / ops.sqrt(ops.maximum(ops.square(x).sum(-1, keepdims=True), _SMALLEST_SQUARE))


class CrossCovarianceAttention(nn.Cell):
    """Channels attend to channels: (B, N, C) -> the same shape.

    With `normalise` each channel's query and key are brought to length 1, as the paper has it.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        qkv_bias: bool,
        dropout: float,
        normalise: bool = False,
    ) -> None:
        super().__init__()
        self.channels, self.num_heads = channels, num_heads
        self.normalise = normalise
        self.temperature = Parameter(initializer("ones", (num_heads, 1, 1)))
        self.qkv = dense(channels, 3 * channels, qkv_bias)
        self.proj = dense(channels, channels)
        self.proj_drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        q, k, v = ops.split(self.qkv(x), self.channels, -1)
        q = ops.transpose(split_heads(q, self.num_heads), (0, 1, 3, 2))
        k = ops.transpose(split_heads(k, self.num_heads), (0, 1, 3, 2))
        if self.normalise:
            q, k = _unit(q), _unit(k)
        weights = ops.softmax(scores(q, k) * self.temperature, -1)
        v = ops.transpose(split_heads(v, self.num_heads), (0, 1, 3, 2))
        out = merge_heads(ops.transpose(weighted_sum(weights, v), (0, 1, 3, 2)))
        return self.proj_drop(self.proj(out))
