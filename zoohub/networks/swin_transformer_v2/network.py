"""Swin transformer, version 2.

Source: Liu et al., "Swin Transformer V2: Scaling Up Capacity and Resolution" (2022). Parameter
names are those of mindcv.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer
from numpy.typing import NDArray

from zoohub.networks.layers.attention import merge_heads, scores, split_heads, weighted_sum
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.mlp import Mlp
from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.swin_stages import PUBLISHED_NAMES, SwinBody, check_sizes
from zoohub.networks.layers.window import (
    Grid,
    distance_rows,
    from_windows,
    mask_scores,
    shift_mask,
    to_windows,
)

_HIDDEN = 512  # of the MLP that turns distances into biases
_LARGEST_BIAS = 16.0
_LARGEST_LOGIT_SCALE = math.log(100.0)


def _log_distances(window: int) -> NDArray[np.float32]:
    """Distances down and across on a logarithmic scale: (1, 2·window - 1, 2·window - 1, 2)."""
    line = np.arange(1 - window, window) * 8.0 / (window - 1)
    line = np.sign(line) * np.log2(np.abs(line) + 1) / np.log2(8)
    down, across = np.meshgrid(line, line, indexing="ij")
    return np.stack((down, across), -1)[None].astype(np.float32)


class ContinuousBias(nn.Cell):
    """A bias for each two tokens of a window, by an MLP of their distance: (heads, N, N)."""

    def __init__(self, window: int, num_heads: int) -> None:
        super().__init__()
        self.tokens, self.num_heads = window * window, num_heads
        table, rows = _log_distances(window), distance_rows(window)
        self.relative_coords_table = Parameter(Tensor(table), requires_grad=False)
        self.relative_position_index = Parameter(Tensor(rows), requires_grad=False)
        self.cpb_mlp0 = dense(2, _HIDDEN)
        self.cpb_mlp2 = dense(_HIDDEN, num_heads, bias=False)

    def construct(self) -> Tensor:
        table = self.cpb_mlp2(ops.relu(self.cpb_mlp0(self.relative_coords_table)))
        table = ops.reshape(table, (-1, self.num_heads))
        bias = ops.gather(table, ops.reshape(self.relative_position_index, (-1,)), 0)
        bias = ops.transpose(ops.reshape(bias, (self.tokens, self.tokens, -1)), (2, 0, 1))
        return ops.sigmoid(bias) * _LARGEST_BIAS


def _unit(x: Tensor) -> Tensor:
    """Vectors of the last axis brought to length 1."""
    return x / ops.sqrt(ops.maximum(ops.square(x).sum(-1, keepdims=True), 1e-12))


class CosineWindowAttention(nn.Cell):
    """Attention by the cosine of query and key: (B · windows, N, C) -> the same shape."""

    def __init__(self, channels: int, window: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.logit_scale = Parameter(initializer(math.log(10.0), (num_heads, 1, 1)))
        self.q = dense(channels, channels)
        self.k = dense(channels, channels, bias=False)
        self.v = dense(channels, channels)
        self.relative_position_bias = ContinuousBias(window, num_heads)
        self.proj = dense(channels, channels)
        self.proj_drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q = _unit(split_heads(self.q(x), self.num_heads))
        k = _unit(split_heads(self.k(x), self.num_heads))
        scale = ops.exp(ops.minimum(self.logit_scale, _LARGEST_LOGIT_SCALE))
        attention = scores(q, k) * scale + self.relative_position_bias()
        if mask is not None:
            attention = mask_scores(attention, ops.expand_dims(ops.expand_dims(mask, 1), 0))
        value = split_heads(self.v(x), self.num_heads)
        out = merge_heads(weighted_sum(ops.softmax(attention, -1), value))
        return self.proj_drop(self.proj(out))


class SwinV2Block(nn.Cell):
    """Attention in windows, then an MLP, each normalised after it and added.

    (B, H·W, C) -> the same shape.
    """

    def __init__(
        self,
        channels: int,
        grid: Grid,
        num_heads: int,
        window: int,
        shift: int,
        drop_path: float,
        mlp_ratio: float,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.grid, self.window, self.shift = grid, window, shift
        self.attn_mask = None
        if shift > 0:
            self.attn_mask = Parameter(Tensor(shift_mask(grid, window, shift)), requires_grad=False)
        self.norm1 = layer_norm(channels, norm_eps)
        self.attn = CosineWindowAttention(channels, window, num_heads, dropout)
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = Mlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        windows = to_windows(x, self.grid, self.window, self.shift)
        windows = self.attn(windows, self.attn_mask)
        attended = from_windows(windows, self.grid, self.window, self.shift)
        x = x + self.drop_path(self.norm1(attended))
        return x + self.drop_path(self.norm2(self.mlp(x)))


class SwinTransformerV2(SwinBody):
    """(B, in_channels, image_size, image_size) -> logits, or the maps of `out_indices`."""

    def __init__(self, num_classes: int, norm_eps: float, **body: Any) -> None:
        super().__init__(norm_eps=norm_eps, norm_last=True, **body)
        if self.out_indices is None:
            self.head = dense(self.channels, num_classes)
            self.norm = layer_norm(self.channels, norm_eps)
        name_parameters(self, PUBLISHED_NAMES)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.out_indices is not None:
            return self.features(x)
        return self.head(self.norm(self.features(x)).mean(1))


def swin_transformer_v2(
    image_size: int = 256,
    patch_size: int = 4,
    embed_dim: int = 96,
    depths: Sequence[int] = (2, 2, 6, 2),
    num_heads: Sequence[int] = (3, 6, 12, 24),
    window_size: int = 8,
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-6,
    merging_norm_eps: float = 1e-5,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.1,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> SwinTransformerV2:
    """Swin V2: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; masks are made for it.
        patch_size: side of a patch in pixels.
        embed_dim: channels of the first stage; each next one has twice as many.
        depths: blocks of each stage.
        num_heads: heads of each stage's attention.
        window_size: side of a window in tokens: 8 or 16.
        mlp_ratio: hidden channels of each MLP, in multiples of its input's.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms but those of the merging.
        merging_norm_eps: epsilon of the layer norms between stages.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out norm and classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: sizes that do not fit one another, or a stage that does not exist.
    """
    check_sizes(image_size, patch_size, window_size, depths, num_heads)
    options: dict[str, Any] = {
        "mlp_ratio": mlp_ratio,
        "norm_eps": norm_eps,
        "exact_gelu": exact_gelu,
    }
    return SwinTransformerV2(
        num_classes,
        norm_eps,
        make_block=partial(SwinV2Block, dropout=dropout, **options),
        image_size=image_size,
        patch_size=patch_size,
        in_channels=in_channels,
        embed_dim=embed_dim,
        depths=depths,
        num_heads=num_heads,
        window_size=window_size,
        merging_norm_eps=merging_norm_eps,
        dropout=dropout,
        drop_path=drop_path,
        out_indices=check_out_indices(out_indices, len(depths)) if features_only else None,
    )
