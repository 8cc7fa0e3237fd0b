"""Pyramid vision transformer, version 2, of every size.

Source: Wang et al., "PVT v2: Improved Baselines with Pyramid Vision Transformer" (2022). Parameter
names are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.patch_embed import to_map, to_tokens
from zoohub.networks.layers.reduced_attention import ReducedAttention

_INNER_NORM_EPS = 1e-7  # of the norms after patch embeddings and reductions


class OverlapPatchEmbed(nn.Cell):
    """A convolution whose patches overlap: (B, in_channels, H, W) -> (B, channels, H / stride, …).

    Layer norm over the channels follows.
    """

    def __init__(self, in_channels: int, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.proj = conv2d(in_channels, channels, kernel, stride, "same", bias=True)
        self.norm = layer_norm(channels, _INNER_NORM_EPS)

    def construct(self, x: Tensor) -> tuple[Tensor, int, int]:
        x = self.proj(x)
        return self.norm(to_tokens(x)), x.shape[2], x.shape[3]


class DepthwiseConv(nn.Cell):
    """3×3 convolution of each channel of tokens (B, H·W, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dwconv = conv2d(channels, channels, 3, 1, "same", channels, bias=True)

    def construct(self, x: Tensor, height: int, width: int) -> Tensor:
        return to_tokens(self.dwconv(to_map(x, height, width)))


class ConvMlp(nn.Cell):
    """An MLP that sees the neighbours between its dense layers: (B, H·W, C) -> the same shape."""

    def __init__(self, channels: int, hidden: int, exact_gelu: bool, dropout: float) -> None:
        super().__init__()
        self.fc1 = dense(channels, hidden)
        self.dwconv = DepthwiseConv(hidden)
        self.act = gelu(exact_gelu)
        self.fc2 = dense(hidden, channels)
        self.drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor, height: int, width: int) -> Tensor:
        x = self.drop(self.act(self.dwconv(self.fc1(x), height, width)))
        return self.drop(self.fc2(x))


class PvtV2Block(nn.Cell):
    """Attention to a coarser picture, then an MLP, each after a norm and added.

    Tokens (B, H·W, C), H and W -> (B, H·W, C).
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
        self.norm1 = layer_norm(channels, norm_eps)
        self.attn = ReducedAttention(
            channels, num_heads, reduction, _INNER_NORM_EPS, dropout=dropout
        )
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = ConvMlp(channels, int(channels * mlp_ratio), exact_gelu, dropout)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor, height: int, width: int) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x), height, width))
        return x + self.drop_path(self.mlp(self.norm2(x), height, width))


class PyramidVisionTransformerV2(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the maps of `out_indices`."""

    def __init__(
        self,
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
        rates = drop_path_rates(drop_path, sum(depths))
        embeds, blocks, norms, start = [], [], [], 0
        for stage, depth in enumerate(depths):
            width, before = widths[stage], widths[stage - 1] if stage else in_channels
            embeds.append(OverlapPatchEmbed(before, width, *((3, 2) if stage else (7, 4))))
            options = (width, num_heads[stage], mlp_ratios[stage], reductions[stage])
            numerics = (norm_eps, exact_gelu, dropout)
            own = rates[start : start + depth]
            blocks.append(nn.CellList([PvtV2Block(*options, *numerics, rate) for rate in own]))
            norms.append(layer_norm(width, norm_eps))
            start += depth
        self.patch_embed_list = nn.CellList(embeds)
        self.block_list = nn.CellList(blocks)
        self.norm_list = nn.CellList(norms)
        self.feature_info = tuple(FeatureMap(widths[i], 4 * 2**i) for i in out_indices or ())
        if out_indices is None:
            self.head = dense(widths[-1], num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        maps: tuple[Tensor, ...] = ()
        tokens = x
        for stage, embed in enumerate(self.patch_embed_list):
            tokens, height, width = embed(x)
            for block in self.block_list[stage]:
                tokens = block(tokens, height, width)
            tokens = self.norm_list[stage](tokens)
            x = to_map(tokens, height, width)
            if self.out_indices is not None and stage in self.out_indices:
                maps = (*maps, x)
        return maps if self.out_indices is not None else self.head(tokens.mean(1))


def pvt_v2(
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
) -> PyramidVisionTransformerV2:
    """PVT v2: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        embed_dims: channels of each of the four stages.
        depths: blocks of each.
        num_heads: heads of each stage's attention.
        mlp_ratios: hidden channels of each stage's MLPs, in multiples of its channels.
        sr_ratios: how much smaller the picture is that each stage attends to.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the norms of blocks and stages.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: stages that differ in number, or one that does not exist.
    """
    if len({len(embed_dims), len(depths), len(num_heads), len(mlp_ratios), len(sr_ratios)}) > 1:
        raise ValueError("the arguments of stages should be for the same number of them")
    return PyramidVisionTransformerV2(
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
        check_out_indices(out_indices, len(depths)) if features_only else None,
    )
