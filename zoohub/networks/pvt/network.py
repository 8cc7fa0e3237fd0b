"""Pyramid vision transformer (PVT) of every size.

Source: Wang et al., "Pyramid Vision Transformer: A Versatile Backbone for Dense Prediction without
Convolutions" (2021). Parameter names are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn
from mindspore import dtype as mstype
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.mlp import Mlp
from zoohub.networks.layers.patch_embed import PatchEmbed, prepend, to_map
from zoohub.networks.layers.reduced_attention import ReducedAttention

_EMBED_NORM_EPS = 1e-5  # also of each block's first norm
_REDUCTION_NORM_EPS = 1e-7


class PvtBlock(nn.Cell):
    """Attention to a coarser picture, then an MLP, each after a norm and added.

    Tokens (B, N, C) and the height and width of their picture -> (B, N, C).
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        reduction: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.norm1 = layer_norm(channels, _EMBED_NORM_EPS)
        self.attn = ReducedAttention(
            channels, num_heads, reduction, _REDUCTION_NORM_EPS, dropout=dropout
        )
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = Mlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor, height: int, width: int) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x), height, width))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class PyramidVisionTransformer(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits, or the maps of `out_indices`.

    Position embeddings are float16 in the published files, and here.
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        widths: Sequence[int],
        depths: Sequence[int],
        num_heads: Sequence[int],
        mlp_ratios: Sequence[float],
        reductions: Sequence[int],
        num_classes: int,
        in_channels: int,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.grids = tuple(image_size // patch_size // 2**stage for stage in range(4))
        places = [grid * grid for grid in self.grids]
        places[3] += 1  # the class token
        self.pos_embed1, self.pos_embed2, self.pos_embed3, self.pos_embed4 = (
            Parameter(initializer(TruncatedNormal(0.02), (1, count, width), mstype.float16))
            for count, width in zip(places, widths, strict=True)
        )
        self.cls_token = Parameter(initializer(TruncatedNormal(0.02), (1, 1, widths[3])))
        self.patch_embed1, self.patch_embed2, self.patch_embed3, self.patch_embed4 = (
            PatchEmbed(before, width, size, norm_eps=_EMBED_NORM_EPS)
            for before, width, size in zip(
                (in_channels, *widths[:3]), widths, (patch_size, 2, 2, 2), strict=True
            )
        )
        self.pos_drop = nn.Dropout(p=dropout)
        rates = drop_path_rates(drop_path, sum(depths))
        blocks, start = [], 0
        for stage, depth in enumerate(depths):
            options = (widths[stage], num_heads[stage], mlp_ratios[stage], reductions[stage])
            numerics = (norm_eps, exact_gelu, dropout)
            own = rates[start : start + depth]
            blocks.append(nn.CellList([PvtBlock(*options, *numerics, rate) for rate in own]))
            start += depth
        self.Blocks = nn.CellList(blocks)
        self.feature_info = tuple(
            FeatureMap(widths[stage], patch_size * 2**stage) for stage in out_indices or ()
        )
        if out_indices is None:
            self.norm = layer_norm(widths[3], norm_eps)
            self.head = dense(widths[3], num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        map1 = self.run(0, self.patch_embed1(x), self.pos_embed1)
        map2 = self.run(1, self.patch_embed2(map1), self.pos_embed2)
        map3 = self.run(2, self.patch_embed3(map2), self.pos_embed3)
        tokens = prepend(self.cls_token, self.patch_embed4(map3))
        tokens = self.run_blocks(3, tokens, self.pos_embed4)
        if self.out_indices is None:
            return self.head(self.norm(tokens)[:, 0])
        maps = (map1, map2, map3, to_map(tokens[:, 1:], self.grids[3], self.grids[3]))
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen

    def run_blocks(self, stage: int, tokens: Tensor, positions: Tensor) -> Tensor:
        """The stage's output, as tokens."""
        tokens = self.pos_drop(tokens + positions.astype(mstype.float32))
        grid = self.grids[stage]
        for block in self.Blocks[stage]:
            tokens = block(tokens, grid, grid)
        return tokens

    def run(self, stage: int, tokens: Tensor, positions: Tensor) -> Tensor:
        """The stage's output, as a map (B, C, H, W)."""
        grid = self.grids[stage]
        return to_map(self.run_blocks(stage, tokens, positions), grid, grid)


def pvt(
    image_size: int = 224,
    patch_size: int = 4,
    embed_dims: Sequence[int] = (64, 128, 320, 512),
    depths: Sequence[int] = (3, 4, 6, 3),
    num_heads: Sequence[int] = (1, 2, 5, 8),
    mlp_ratios: Sequence[float] = (8.0, 8.0, 4.0, 4.0),
    sr_ratios: Sequence[int] = (8, 4, 2, 1),
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-6,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> PyramidVisionTransformer:
    """PVT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; position embeddings are made for it.
        patch_size: side of the first stage's patches in pixels; each next stage halves the grid.
        embed_dims: channels of each of the four stages.
        depths: blocks of each.
        num_heads: heads of each stage's attention.
        mlp_ratios: hidden channels of each stage's MLPs, in multiples of its channels.
        sr_ratios: how much smaller the picture is that each stage attends to.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the second norm of each block and of the last one.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out norm and classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: other than four stages, or one that does not exist.
    """
    if {len(embed_dims), len(depths), len(num_heads), len(mlp_ratios), len(sr_ratios)} != {4}:
        raise ValueError("pvt has four stages: give each argument of stages four values")
    return PyramidVisionTransformer(
        image_size,
        patch_size,
        embed_dims,
        depths,
        num_heads,
        mlp_ratios,
        sr_ratios,
        num_classes,
        in_channels,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
        check_out_indices(out_indices, 4) if features_only else None,
    )
