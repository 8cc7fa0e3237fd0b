"""Transformer in transformer (TNT) of every size.

Source: Han et al., "Transformer in Transformer" (2021). Parameter names are those of the models
repository (research/cv/TNT), without the prefix of its loss cell.
"""

from __future__ import annotations

import math

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.attention import SeparateAttention
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.mlp import Mlp
from zoohub.networks.layers.patch_embed import prepend, to_tokens
from zoohub.networks.layers.sized import SizedNetwork


class WordEmbed(nn.Cell):
    """Each patch by itself through a 7×7 convolution.

    (B, C, H, W) -> words of all patches (B · patches, words, channels).
    """

    def __init__(self, in_channels: int, channels: int, patch_size: int, stride: int) -> None:
        super().__init__()
        self.size = patch_size
        self.proj = conv2d(in_channels, channels, 7, stride, 3)

    def construct(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        rows, columns, size = height // self.size, width // self.size, self.size
        x = ops.reshape(x, (-1, channels, rows, size, columns, size))
        x = ops.transpose(x, (0, 2, 4, 1, 3, 5))
        return to_tokens(self.proj(ops.reshape(x, (-1, channels, size, size))))


class TNTBlock(nn.Cell):
    """Words within each patch attend, inform their patch, and patches attend.

    Words (B · patches, words, inner) and patches (B, 1 + patches, outer) -> the same shapes.
    """

    def __init__(
        self,
        words: int,
        inner: int,
        outer: int,
        inner_heads: int,
        outer_heads: int,
        mlp_ratio: float,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        no_bias = {"qkv_bias": False, "proj_bias": False}
        self.inner_norm1 = layer_norm(inner, norm_eps)
        self.inner_attn = SeparateAttention(inner, inner_heads, dropout=dropout, **no_bias)
        self.inner_norm2 = layer_norm(inner, norm_eps)
        self.inner_mlp = Mlp(inner, int(inner * mlp_ratio), None, dropout, exact_gelu, False)
        self.proj_norm1 = layer_norm(words * inner, norm_eps)
        self.proj = dense(words * inner, outer, bias=False)
        self.proj_norm2 = layer_norm(outer, norm_eps)
        self.outer_norm1 = layer_norm(outer, norm_eps)
        self.outer_attn = SeparateAttention(outer, outer_heads, dropout=dropout, **no_bias)
        self.outer_norm2 = layer_norm(outer, norm_eps)
        self.outer_mlp = Mlp(outer, int(outer * mlp_ratio), None, dropout, exact_gelu, False)
        self.drop_path = DropPath(drop_path)

    def construct(self, words: Tensor, patches: Tensor) -> tuple[Tensor, Tensor]:
        words = words + self.drop_path(self.inner_attn(self.inner_norm1(words)))
        words = words + self.drop_path(self.inner_mlp(self.inner_norm2(words)))
        count, size = patches.shape[1] - 1, words.shape[1] * words.shape[2]
        news = self.proj_norm1(ops.reshape(words, (-1, count, size)))
        news = self.proj_norm2(self.proj(news))
        # The class token has no words.
        patches = ops.concat((patches[:, :1], patches[:, 1:] + news), 1)
        patches = patches + self.drop_path(self.outer_attn(self.outer_norm1(patches)))
        return words, patches + self.drop_path(self.outer_mlp(self.outer_norm2(patches)))


class TNT(SizedNetwork):
    """(B, in_channels, image_size, image_size) -> logits (B, num_classes)."""

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        stride: int,
        inner: int,
        outer: int,
        depth: int,
        inner_heads: int,
        outer_heads: int,
        mlp_ratio: float,
        num_classes: int,
        in_channels: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__("tnt", (image_size, image_size))
        places = (image_size // patch_size) ** 2
        words = math.ceil(patch_size / stride) ** 2
        self.places, self.size = places, words * inner
        init = TruncatedNormal(0.02)
        self.cls_token = Parameter(initializer(init, (1, 1, outer)))
        self.outer_pos = Parameter(initializer(init, (1, places + 1, outer)))
        self.inner_pos = Parameter(initializer(init, (1, words, inner)))
        self.patch_embed = WordEmbed(in_channels, inner, patch_size, stride)
        self.proj_norm1 = layer_norm(words * inner, norm_eps)
        self.proj = dense(words * inner, outer, bias=False)
        self.proj_norm2_tnt = layer_norm(outer, norm_eps)
        self.pos_drop = nn.Dropout(p=dropout)
        sizes = (words, inner, outer, inner_heads, outer_heads, mlp_ratio)
        numerics = (norm_eps, exact_gelu, dropout)
        self.blocks = nn.CellList(
            [TNTBlock(*sizes, *numerics, rate) for rate in drop_path_rates(drop_path, depth)]
        )
        self.norm = layer_norm(outer, norm_eps)
        self.head = dense(outer, num_classes, bias=False)

    def construct(self, x: Tensor) -> Tensor:
        words = self.patch_embed(x) + self.inner_pos
        patches = self.proj_norm1(ops.reshape(words, (-1, self.places, self.size)))
        patches = prepend(self.cls_token, self.proj_norm2_tnt(self.proj(patches)))
        patches = self.pos_drop(patches + self.outer_pos)
        for block in self.blocks:
            words, patches = block(words, patches)
        return self.head(self.norm(patches)[:, 0])


def tnt(
    image_size: int = 224,
    patch_size: int = 16,
    stride: int = 4,
    inner_dim: int = 24,
    outer_dim: int = 384,
    depth: int = 12,
    inner_heads: int = 4,
    outer_heads: int = 6,
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-7,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.1,
) -> TNT:
    """TNT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        patch_size: side of a patch in pixels.
        stride: pixels from one word of a patch to the next.
        inner_dim: channels of a word: 24 (small), 40 (base).
        outer_dim: channels of a patch: 384, 640.
        depth: blocks.
        inner_heads: heads of the attention among words.
        outer_heads: heads of the attention among patches: 6, 10.
        mlp_ratio: hidden channels of each MLP, in multiples of its input's.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function in place of tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
    """
    return TNT(
        image_size,
        patch_size,
        stride,
        inner_dim,
        outer_dim,
        depth,
        inner_heads,
        outer_heads,
        mlp_ratio,
        num_classes,
        in_channels,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
    )
