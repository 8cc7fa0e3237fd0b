"""CMT of every size.

Source: Guo et al., "CMT: Convolutional Neural Networks Meet Vision Transformers" (2022). Parameter
names are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import merge_heads, scores, split_heads, weighted_sum
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.patch_embed import PatchEmbed, to_map, to_tokens
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.sized import SizedNetwork


class ReducedAttention(nn.Cell):
    """Attention to a picture that each channel's own convolution made smaller.

    Tokens (B, grid², C) and a bias for each head -> (B, grid², C).
    """

    def __init__(
        self, channels: int, num_heads: int, reduction: int, grid: int, dropout: float
    ) -> None:
        super().__init__()
        self.num_heads, self.grid = num_heads, grid
        self.scale = (channels // num_heads) ** -0.5
        self.q = dense(channels, channels)
        self.k = dense(channels, channels)
        self.v = dense(channels, channels)
        self.proj = dense(channels, channels)
        self.proj_drop = nn.Dropout(p=dropout)
        self.sr = None
        if reduction > 1:
            conv = conv2d(channels, channels, reduction, reduction, "same", channels, bias=True)
            self.sr = nn.SequentialCell([conv, BatchNorm2d(channels)])

    def construct(self, x: Tensor, bias: Tensor | None) -> Tensor:
        q = split_heads(self.q(x), self.num_heads) * self.scale
        if self.sr is not None:
            x = to_tokens(self.sr(to_map(x, self.grid, self.grid)))
        attention = scores(q, split_heads(self.k(x), self.num_heads))
        if bias is not None:
            attention = attention + bias
        value = split_heads(self.v(x), self.num_heads)
        out = merge_heads(weighted_sum(ops.softmax(attention, -1), value))
        return self.proj_drop(self.proj(out))


class ConvMlp(nn.Cell):
    """1×1, 3×3 of each channel, 1×1 convolutions: (B, C, H, W) -> the same shape."""

    def __init__(self, channels: int, hidden: int, exact_gelu: bool, dropout: float) -> None:
        super().__init__()
        self.conv1 = nn.SequentialCell(
            [conv2d(channels, hidden, 1, bias=True), gelu(exact_gelu), BatchNorm2d(hidden)]
        )
        self.proj = conv2d(hidden, hidden, 3, groups=hidden, bias=True)
        self.proj_act = gelu(exact_gelu)
        self.proj_bn = BatchNorm2d(hidden)
        self.conv2 = nn.SequentialCell(
            [conv2d(hidden, channels, 1, bias=True), BatchNorm2d(channels)]
        )
        self.drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        x = self.drop(self.conv1(x))
        x = self.proj_bn(self.proj_act(self.proj(x) + x))
        return self.drop(self.conv2(x))


class CmtBlock(nn.Cell):
    """Neighbours, attention, then convolutions, each added: (B, grid², C) -> the same shape."""

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        reduction: int,
        grid: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.grid = grid
        self.norm1 = layer_norm(channels, norm_eps)
        self.attn = ReducedAttention(channels, num_heads, reduction, grid, dropout)
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = ConvMlp(channels, int(channels * mlp_ratio), exact_gelu, dropout)
        self.proj = conv2d(channels, channels, 3, groups=channels, bias=True)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor, bias: Tensor | None) -> Tensor:
        places = to_map(x, self.grid, self.grid)
        x = to_tokens(self.proj(places) + places)
        x = x + self.drop_path(self.attn(self.norm1(x), bias))
        y = self.mlp(to_map(self.norm2(x), self.grid, self.grid))
        return x + self.drop_path(to_tokens(y))


class CMT(SizedNetwork):
    """(B, in_channels, image_size, image_size) -> logits, or the maps of `out_indices`."""

    def __init__(
        self,
        image_size: int,
        stem_channels: int,
        widths: Sequence[int],
        depths: Sequence[int],
        num_heads: Sequence[int],
        mlp_ratios: Sequence[float],
        reductions: Sequence[int],
        fc_dim: int,
        relative_positions: bool,
        num_classes: int,
        in_channels: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__("cmt", (image_size, image_size))
        self.out_indices = out_indices
        self.grids = tuple(image_size // 4 // 2**stage for stage in range(4))
        self.add_biases(num_heads, reductions, relative_positions)
        self.stem_conv1 = conv2d(in_channels, stem_channels, 3, 2, bias=True)
        self.stem_norm1 = BatchNorm2d(stem_channels)
        self.stem_conv2 = conv2d(stem_channels, stem_channels, 3, bias=True)
        self.stem_norm2 = BatchNorm2d(stem_channels)
        self.stem_conv3 = conv2d(stem_channels, stem_channels, 3, bias=True)
        self.stem_norm3 = BatchNorm2d(stem_channels)
        self.act = gelu(exact_gelu)
        self.patch_embed_a, self.patch_embed_b, self.patch_embed_c, self.patch_embed_d = (
            PatchEmbed(before, width, 2, norm_eps=norm_eps)
            for before, width in zip((stem_channels, *widths[:3]), widths, strict=True)
        )
        rates = drop_path_rates(drop_path, sum(depths))
        stages, start = [], 0
        for stage, depth in enumerate(depths):
            options = (widths[stage], num_heads[stage], mlp_ratios[stage], reductions[stage])
            numerics = (self.grids[stage], norm_eps, exact_gelu, dropout)
            own = rates[start : start + depth]
            stages.append(nn.CellList([CmtBlock(*options, *numerics, rate) for rate in own]))
            start += depth
        self.blocks_a, self.blocks_b, self.blocks_c, self.blocks_d = stages
        self.feature_info = tuple(FeatureMap(widths[i], 4 * 2**i) for i in out_indices or ())
        if out_indices is None:
            self._fc = conv2d(widths[3], fc_dim, 1, bias=True)
            self._bn = BatchNorm2d(fc_dim)
            self.pool = GlobalAvgPool()
            self.head_drop = nn.Dropout(p=dropout)
            self.head = dense(fc_dim, num_classes)

    def add_biases(self, num_heads: Sequence[int], reductions: Sequence[int], learnt: bool) -> None:
        """What is added to the scores of each stage, (heads, places, places attended to)."""
        names = [f"relative_pos_{letter}" for letter in "abcd"]
        for name, heads, grid, reduction in zip(
            names, num_heads, self.grids, reductions, strict=True
        ):
            shape = (heads, grid**2, grid**2 // reduction**2)
            setattr(self, name, Parameter(initializer("zeros", shape)) if learnt else None)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.stem_norm1(self.act(self.stem_conv1(x)))
        x = self.stem_norm2(self.act(self.stem_conv2(x)))
        x = self.stem_norm3(self.act(self.stem_conv3(x)))
        map1 = self.run(0, self.patch_embed_a(x), self.blocks_a, self.relative_pos_a)
        map2 = self.run(1, self.patch_embed_b(map1), self.blocks_b, self.relative_pos_b)
        map3 = self.run(2, self.patch_embed_c(map2), self.blocks_c, self.relative_pos_c)
        map4 = self.run(3, self.patch_embed_d(map3), self.blocks_d, self.relative_pos_d)
        if self.out_indices is None:
            y = self._bn(self._fc(map4))
            return self.head(self.head_drop(self.pool(y * ops.sigmoid(y))))
        maps = (map1, map2, map3, map4)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen

    def run(self, stage: int, tokens: Tensor, blocks: nn.CellList, bias: Tensor | None) -> Tensor:
        """One stage's output, as a map (B, C, H, W)."""
        for block in blocks:
            tokens = block(tokens, bias)
        return to_map(tokens, self.grids[stage], self.grids[stage])


def cmt(
    image_size: int = 224,
    stem_channels: int = 32,
    embed_dims: Sequence[int] = (64, 128, 256, 512),
    depths: Sequence[int] = (3, 3, 16, 3),
    num_heads: Sequence[int] = (1, 2, 4, 8),
    mlp_ratios: Sequence[float] = (4.0, 4.0, 4.0, 4.0),
    sr_ratios: Sequence[int] = (8, 4, 2, 1),
    fc_dim: int = 1280,
    relative_positions: bool = False,
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-7,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> CMT:
    """CMT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels.
        stem_channels: channels of the first three convolutions.
        embed_dims: channels of each of the four stages.
        depths: blocks of each.
        num_heads: heads of each stage's attention.
        mlp_ratios: hidden channels of each stage's MLPs, in multiples of its channels.
        sr_ratios: how much smaller the picture is that each stage attends to.
        fc_dim: channels of the convolution before the classifier.
        relative_positions: learnt biases of the attention (the models repository); in mindcv
            they stay zero and are in no file.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function in place of tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out what follows the last stage and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: other than four stages, or one that does not exist.
    """
    if {len(embed_dims), len(depths), len(num_heads), len(mlp_ratios), len(sr_ratios)} != {4}:
        raise ValueError("cmt has four stages: give each argument of stages four values")
    return CMT(
        image_size,
        stem_channels,
        embed_dims,
        depths,
        num_heads,
        mlp_ratios,
        sr_ratios,
        fc_dim,
        relative_positions,
        num_classes,
        in_channels,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
        check_out_indices(out_indices, 4) if features_only else None,
    )
