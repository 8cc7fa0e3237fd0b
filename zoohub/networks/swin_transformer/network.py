"""Swin transformer.

Source: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows"
(2021). Parameter names are those of mindcv; the models repository computes the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Normal, initializer

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


class RelativeBias(nn.Cell):
    """What is added to the score of each two tokens of a window: (heads, N, N)."""

    def __init__(self, window: int, num_heads: int) -> None:
        super().__init__()
        rows, distances = distance_rows(window).reshape(-1), (2 * window - 1) ** 2
        self.tokens = window * window
        self.relative_position_bias_table = Parameter(
            initializer(Normal(0.02), (distances, num_heads))
        )
        # Checkpoints hold the rows one-hot; to gather them takes less time and room.
        one_hot = (rows[:, None] == np.arange(distances)).astype(np.float32)
        self.index = Parameter(Tensor(one_hot), requires_grad=False)
        self.rows = Tensor(rows)

    def construct(self) -> Tensor:
        bias = ops.gather(self.relative_position_bias_table, self.rows, 0)
        return ops.transpose(ops.reshape(bias, (self.tokens, self.tokens, -1)), (2, 0, 1))


class WindowAttention(nn.Cell):
    """Self-attention in each window: (B · windows, N, C) -> the same shape."""

    def __init__(self, channels: int, window: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5
        self.relative_bias = RelativeBias(window, num_heads)
        self.q = dense(channels, channels)
        self.k = dense(channels, channels)
        self.v = dense(channels, channels)
        self.proj = dense(channels, channels)
        self.proj_drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q = split_heads(self.q(x), self.num_heads) * self.scale
        attention = scores(q, split_heads(self.k(x), self.num_heads)) + self.relative_bias()
        if mask is not None:
            attention = mask_scores(attention, mask)
        value = split_heads(self.v(x), self.num_heads)
        out = merge_heads(weighted_sum(ops.softmax(attention, -1), value))
        return self.proj_drop(self.proj(out))


class SwinBlock(nn.Cell):
    """Attention in windows, then an MLP, each after a norm and added: (B, H·W, C) -> the same."""

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
            mask = shift_mask(grid, window, shift)[None, :, None]
            self.attn_mask = Parameter(Tensor(mask), requires_grad=False)
        self.norm1 = layer_norm(channels, norm_eps)
        self.attn = WindowAttention(channels, window, num_heads, dropout)
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = Mlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        windows = to_windows(self.norm1(x), self.grid, self.window, self.shift)
        windows = self.attn(windows, self.attn_mask)
        x = x + self.drop_path(from_windows(windows, self.grid, self.window, self.shift))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class SwinTransformer(SwinBody):
    """(B, in_channels, image_size, image_size) -> logits, or the maps of `out_indices`."""

    def __init__(self, num_classes: int, norm_eps: float, **body: Any) -> None:
        super().__init__(norm_eps=norm_eps, norm_last=False, **body)
        if self.out_indices is None:
            self.norm = layer_norm(self.channels, norm_eps)
            self.classifier = dense(self.channels, num_classes)
        name_parameters(self, PUBLISHED_NAMES)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.out_indices is not None:
            return self.features(x)
        return self.classifier(self.norm(self.features(x)).mean(1))


def swin_transformer(
    image_size: int = 224,
    patch_size: int = 4,
    embed_dim: int = 96,
    depths: Sequence[int] = (2, 2, 6, 2),
    num_heads: Sequence[int] = (3, 6, 12, 24),
    window_size: int = 7,
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-5,
    merging_norm_eps: float = 1e-7,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.2,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> SwinTransformer:
    """Swin: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; masks are made for it.
        patch_size: side of a patch in pixels.
        embed_dim: channels of the first stage; each next one has twice as many.
        depths: blocks of each stage.
        num_heads: heads of each stage's attention.
        window_size: side of a window in tokens.
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
    return SwinTransformer(
        num_classes,
        norm_eps,
        make_block=partial(SwinBlock, dropout=dropout, **options),
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
