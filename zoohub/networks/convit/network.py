"""ConViT of every size.

Source: d'Ascoli et al., "ConViT: Improving Vision Transformers with Soft Convolutional Inductive
Biases" (2021). Parameter names are those of mindcv.
"""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer
from numpy.typing import NDArray

from zoohub.networks.layers.attention import (
    SeparateAttention,
    merge_heads,
    scores,
    split_heads,
    weighted_sum,
)
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import drop_path_rates
from zoohub.networks.layers.patch_embed import PatchEmbed, prepend
from zoohub.networks.layers.vit_block import ViTBlock


def _distances(grid: int) -> NDArray[np.float32]:
    """(N, N, 3): for each two places the distance across, down, and its square."""
    down, across = (axis.reshape(-1) for axis in np.indices((grid, grid)))
    x, y = across - across[:, None], down - down[:, None]
    return np.stack((x, y, x**2 + y**2), -1).astype(np.float32)


class GatedPositionalAttention(nn.Cell):
    """Attention by content and by position, each head mixing the two: (B, N, C) -> the same."""

    def __init__(
        self, channels: int, num_heads: int, grid: int, qkv_bias: bool, dropout: float
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5
        self.gating_param = Parameter(initializer("ones", (num_heads,)))
        self.q = dense(channels, channels, qkv_bias)
        self.k = dense(channels, channels, qkv_bias)
        self.v = dense(channels, channels, qkv_bias)
        self.proj = dense(channels, channels)
        self.pos_proj = dense(3, num_heads)
        self.proj_drop = nn.Dropout(p=dropout)
        self.distances = Tensor(_distances(grid))

    def construct(self, x: Tensor) -> Tensor:
        q = split_heads(self.q(x), self.num_heads) * self.scale
        by_content = ops.softmax(scores(q, split_heads(self.k(x), self.num_heads)), -1)
        position = ops.transpose(self.pos_proj(self.distances), (2, 0, 1))
        by_position = ops.softmax(position, -1)
        gate = ops.sigmoid(ops.reshape(self.gating_param, (-1, 1, 1)))
        weights = (1.0 - gate) * by_content + gate * by_position
        out = merge_heads(weighted_sum(weights, split_heads(self.v(x), self.num_heads)))
        return self.proj_drop(self.proj(out))


class ConViT(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits (B, num_classes)."""

    def __init__(
        self,
        grid: int,
        patch_size: int,
        embed_dim: int,
        depth: int,
        local_depth: int,
        num_heads: int,
        mlp_ratio: float,
        num_classes: int,
        in_channels: int,
        qkv_bias: bool,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        init = TruncatedNormal(0.02)
        self.cls_token = Parameter(initializer(init, (1, 1, embed_dim)))
        self.pos_embed = Parameter(initializer(init, (1, grid * grid, embed_dim)))
        self.patch_embed = PatchEmbed(in_channels, embed_dim, patch_size)
        self.pos_drop = nn.Dropout(p=dropout)
        self.local_depth = local_depth
        blocks = []
        for index, rate in enumerate(drop_path_rates(drop_path, depth)):
            attention: nn.Cell
            if index < local_depth:
                attention = GatedPositionalAttention(embed_dim, num_heads, grid, qkv_bias, dropout)
            else:
                attention = SeparateAttention(embed_dim, num_heads, qkv_bias, dropout)
            blocks.append(
                ViTBlock(
                    embed_dim,
                    num_heads,
                    mlp_ratio,
                    norm_eps,
                    exact_gelu,
                    dropout=dropout,
                    drop_path=rate,
                    attention=attention,
                )
            )
        self.blocks = nn.CellList(blocks)
        self.norm = layer_norm(embed_dim, norm_eps)
        self.classifier = dense(embed_dim, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = self.pos_drop(self.patch_embed(x) + self.pos_embed)
        for index, block in enumerate(self.blocks):
            # The class token has no place, so it comes where places no longer matter.
            if index == self.local_depth:
                x = prepend(self.cls_token, x)
            x = block(x)
        return self.classifier(self.norm(x)[:, 0])


def convit(
    image_size: int = 224,
    patch_size: int = 16,
    embed_dim: int = 192,
    depth: int = 12,
    local_depth: int = 10,
    num_heads: int = 4,
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    qkv_bias: bool = False,
    norm_eps: float = 1e-7,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.1,
) -> ConViT:
    """ConViT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        patch_size: side of a patch in pixels.
        embed_dim: channels of a token: 192 (tiny), 432 (small), 768 (base), more for "plus".
        depth: blocks.
        local_depth: how many of them, the first, attend by position too.
        num_heads: heads of each attention: 4, 9, 16.
        mlp_ratio: hidden channels of each MLP, in multiples of its input's.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        qkv_bias: biases of the dense layers that make query, key and value.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.

    Raises:
        ValueError: no block without positions, so that the class token would never come.
    """
    if not 0 <= local_depth < depth:
        raise ValueError(f"local_depth={local_depth} should be from 0 to {depth - 1}")
    return ConViT(
        image_size // patch_size,
        patch_size,
        embed_dim,
        depth,
        local_depth,
        num_heads,
        mlp_ratio,
        num_classes,
        in_channels,
        qkv_bias,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
    )
