"""Visformer, both versions, of every size.

Source: Chen et al., "Visformer: The Vision-friendly Transformer" (2021). Parameter names are those
of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import scores, weighted_sum
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

_GROUPS = 8  # of the 3×3 convolutions in the MLPs
# Of each stage: channels in multiples of `embed_dim`, and of the heads' in those of the channels.
_WIDTHS = (0.25, 0.5, 1.0, 2.0)
_HEAD_RATIOS = (0.25, 0.5, 1.0, 1.0)


class ConvMlp(nn.Cell):
    """1×1 convolutions around a 3×3 one, or around none: (B, C, H, W) -> the same shape."""

    def __init__(
        self, channels: int, mlp_ratio: float, spatial: bool, exact_gelu: bool, dropout: float
    ) -> None:
        super().__init__()
        hidden = 2 * channels if spatial else int(channels * mlp_ratio)
        self.spatial = spatial
        self.conv1 = conv2d(channels, hidden, 1)
        self.act = gelu(exact_gelu)
        if spatial:
            self.conv2 = conv2d(hidden, hidden, 3, groups=_GROUPS)
        self.conv3 = conv2d(hidden, channels, 1)
        self.drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        x = self.drop(self.act(self.conv1(x)))
        if self.spatial:
            x = self.act(self.conv2(x))
        return self.drop(self.conv3(x))


class MapAttention(nn.Cell):
    """Self-attention of a map's places: (B, C, H, W) -> the same shape.

    Query and key are both multiplied by the width of a head to the power of `scale_power`.
    """

    def __init__(
        self, channels: int, num_heads: int, head_ratio: float, scale_power: float, dropout: float
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.width = round(channels // num_heads * head_ratio)
        self.scale = self.width**scale_power
        self.qkv = conv2d(channels, 3 * self.width * num_heads, 1)
        self.proj = conv2d(self.width * num_heads, channels, 1)
        self.proj_drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        inner = self.num_heads * self.width
        q, k, v = ops.split(self.qkv(x), inner, 1)
        q, k, v = self.heads(q), self.heads(k), self.heads(v)
        weights = ops.softmax(scores(q * self.scale, k * self.scale), -1)
        out = ops.transpose(weighted_sum(weights, v), (0, 1, 3, 2))
        return self.proj_drop(self.proj(ops.reshape(out, (-1, inner, height, width))))

    def heads(self, x: Tensor) -> Tensor:
        """(B, heads · D, H, W) -> (B, heads, H·W, D)."""
        places = x.shape[2] * x.shape[3]
        x = ops.reshape(x, (-1, self.num_heads, self.width, places))
        return ops.transpose(x, (0, 1, 3, 2))


class VisformerBlock(nn.Cell):
    """Attention, where there is any, then convolutions, each after a norm and added.

    (B, C, H, W) -> the same shape.
    """

    def __init__(
        self,
        channels: int,
        attention: MapAttention | None,
        mlp: ConvMlp,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.attn = None
        if attention is not None:
            self.norm1 = BatchNorm2d(channels)
            self.attn = attention
        self.norm2 = BatchNorm2d(channels)
        self.mlp = mlp
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        if self.attn is not None:
            x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class PatchNorm(nn.Cell):
    """Patches, then a batch norm: (B, in_channels, H, W) -> (B, channels, H / size, W / size)."""

    def __init__(self, in_channels: int, channels: int, size: int) -> None:
        super().__init__()
        self.proj = conv2d(in_channels, channels, size, size, 0, bias=True)
        self.norm = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        return self.norm(self.proj(x))


def _stage(
    channels: int,
    heads: tuple[int, float, float] | None,
    options: tuple[float, bool, bool, float],
    rates: Sequence[float],
) -> nn.CellList:
    """A stage's blocks: `heads` are those of `MapAttention`, None without; `options` ConvMlp's."""
    blocks = []
    for rate in rates:
        attention = None if heads is None else MapAttention(channels, *heads, options[-1])
        blocks.append(VisformerBlock(channels, attention, ConvMlp(channels, *options), rate))
    return nn.CellList(blocks)


class Visformer(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits, or the maps of `out_indices`."""

    def __init__(
        self,
        image_size: int,
        stem_channels: int,
        embed_dim: int,
        depths: Sequence[int],
        num_heads: Sequence[int],
        mlp_ratio: float,
        attention_stages: Sequence[int],
        spatial_stages: Sequence[int],
        scale_power: float,
        num_classes: int,
        in_channels: int,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.first = 0 if depths[0] else 1
        self.stem = nn.SequentialCell(
            [conv2d(in_channels, stem_channels, 7, 2), BatchNorm2d(stem_channels), nn.ReLU()]
        )
        self.pos_drop = nn.Dropout(p=dropout)
        rates = drop_path_rates(drop_path, sum(depths))
        before, start, embeds, stages = stem_channels, 0, [], []
        for stage in range(self.first, 4):
            channels, own = int(embed_dim * _WIDTHS[stage]), rates[start : start + depths[stage]]
            # Without a first stage the second one's patches are twice as large.
            size = 4 if stage == 1 and self.first else 2
            embeds.append(PatchNorm(before, channels, size))
            heads = (num_heads[stage], _HEAD_RATIOS[stage], scale_power)
            options = (mlp_ratio, stage in spatial_stages, exact_gelu, dropout)
            attends = stage in attention_stages
            stages.append(_stage(channels, heads if attends else None, options, own))
            start += depths[stage]
            before = channels
            grid = image_size // 4 // 2**stage
            position = initializer(TruncatedNormal(0.02), (1, channels, grid, grid))
            setattr(self, f"pos_embed{stage}", Parameter(position))
        for stage in range(self.first, 4):
            setattr(self, f"patch_embed{stage}", embeds[stage - self.first])
            setattr(self, f"stage{stage}", stages[stage - self.first])
        self.feature_info = tuple(
            FeatureMap(int(embed_dim * _WIDTHS[i + self.first]), 4 * 2 ** (i + self.first))
            for i in out_indices or ()
        )
        if out_indices is None:
            self.norm = BatchNorm2d(before)
            self.pool = GlobalAvgPool()
            self.head = dense(before, num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.stem(x)
        maps: tuple[Tensor, ...] = ()
        if self.first == 0:
            x = self.run(self.patch_embed0(x) + self.pos_embed0, self.stage0)
            maps = (*maps, x)
        x = self.run(self.patch_embed1(x) + self.pos_embed1, self.stage1)
        maps = (*maps, x)
        x = self.run(self.patch_embed2(x) + self.pos_embed2, self.stage2)
        maps = (*maps, x)
        x = self.run(self.patch_embed3(x) + self.pos_embed3, self.stage3)
        maps = (*maps, x)
        if self.out_indices is None:
            return self.head(self.pool(self.norm(x)))
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen

    def run(self, x: Tensor, blocks: nn.CellList) -> Tensor:
        """One stage's blocks on a map that knows its positions."""
        x = self.pos_drop(x)
        for block in blocks:
            x = block(x)
        return x


def visformer(
    image_size: int = 224,
    stem_channels: int = 32,
    embed_dim: int = 384,
    depths: Sequence[int] = (0, 7, 4, 4),
    num_heads: Sequence[int] = (6, 6, 6, 6),
    mlp_ratio: float = 4.0,
    attention_stages: Sequence[int] = (2, 3),
    spatial_stages: Sequence[int] = (0, 1),
    scale_power: float = -0.25,
    num_classes: int = 1000,
    in_channels: int = 3,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.1,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2),
) -> Visformer:
    """Visformer: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; position embeddings are made for it.
        stem_channels: channels of the first convolution.
        embed_dim: channels of the third of four stages; the others have 1/4, 1/2 and 2 times
            as many.
        depths: blocks of each stage; version 1 has none in the first.
        num_heads: heads of each stage's attention.
        mlp_ratio: hidden channels of the MLPs without 3×3 convolution, in multiples of their
            input's.
        attention_stages: the stages, from 0, whose blocks attend.
        spatial_stages: the stages whose MLPs have a 3×3 convolution.
        scale_power: power of a head's width that query and key are multiplied by: -0.25, or -0.5
            (version 2).
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out norm and classifier and return a tuple of feature maps.
        out_indices: which of the stages that have blocks, counted from 0: at 1/8, 1/16, 1/32 of
            the picture's size (version 2: 1/4 before these).

    Raises:
        ValueError: other than four stages, or one that does not exist.
    """
    if not len(depths) == len(num_heads) == 4:
        raise ValueError("visformer has four stages: give depths and num_heads four values")
    count = 4 if depths[0] else 3
    return Visformer(
        image_size,
        stem_channels,
        embed_dim,
        depths,
        num_heads,
        mlp_ratio,
        attention_stages,
        spatial_stages,
        scale_power,
        num_classes,
        in_channels,
        exact_gelu,
        dropout,
        drop_path,
        check_out_indices(out_indices, count) if features_only else None,
    )
