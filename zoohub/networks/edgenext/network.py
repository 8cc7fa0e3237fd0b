"""EdgeNeXt of every size.

Source: Maaz et al., "EdgeNeXt: Efficiently Amalgamated CNN-Transformer Architecture for Mobile
Vision Applications" (2022). Parameter names are those of mindcv.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.cross_covariance import CrossCovarianceAttention, FourierEmbedding
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.map_norms import ChannelNorm
from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.patch_embed import to_tokens
from zoohub.networks.layers.pooling import GlobalAvgPool

# mindcv filled two lists one by one, so that both share the prefix `0`; no two names are equal.
_PUBLISHED_NAMES = (
    (r"(?:downsample_layers|stages)\.0\.(.+)", r"0.\1"),
    (r"(?:downsample_layers|stages)\.(\d)\.(.+)", r"0.\1.\2"),
)
_EXPANSION = 4


def _conv(channels: int, out_channels: int, kernel: int, stride: int, groups: int) -> nn.Conv2d:
    init = TruncatedNormal(0.02)
    padding = 0 if stride > 1 else kernel // 2
    return conv2d(channels, out_channels, kernel, stride, padding, groups, True, init)


class ConvEncoder(nn.Cell):
    """Each channel's own convolution, norm, and an MLP, added: (B, C, H, W) -> the same shape."""

    def __init__(
        self,
        channels: int,
        kernel: int,
        norm_eps: float,
        exact_gelu: bool,
        layer_scale: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.gamma1 = Parameter(initializer(layer_scale, (channels,)))
        self.dwconv = _conv(channels, channels, kernel, 1, channels)
        self.norm = layer_norm(channels, norm_eps)
        self.pwconv1 = dense(channels, _EXPANSION * channels)
        self.act = gelu(exact_gelu)
        self.pwconv2 = dense(_EXPANSION * channels, channels)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        y = self.norm(ops.transpose(self.dwconv(x), (0, 2, 3, 1)))
        y = self.gamma1 * self.pwconv2(self.act(self.pwconv1(y)))
        return x + self.drop_path(ops.transpose(y, (0, 3, 1, 2)))


class SplitAttentionEncoder(nn.Cell):
    """Groups of channels filtered one after the other, attention among channels, and an MLP.

    (B, C, H, W) -> the same shape. `grid` is its height and width, where positions are added.
    """

    def __init__(
        self,
        channels: int,
        groups: int,
        num_heads: int,
        grid: int | None,
        norm_eps: float,
        exact_gelu: bool,
        layer_scale: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        width = math.ceil(channels / groups)
        self.sections = [*[width] * (groups - 1), channels - width * (groups - 1)]
        self.gamma_xca = Parameter(initializer(layer_scale, (channels,)))
        self.gamma = Parameter(initializer(layer_scale, (channels,)), name="gamma")
        self.convs = nn.CellList([_conv(width, width, 3, 1, width) for _ in range(groups - 1)])
        self.pos_embd = None if grid is None else FourierEmbedding(grid, channels)
        self.norm_xca = layer_norm(channels, norm_eps)
        self.xca = CrossCovarianceAttention(channels, num_heads, True, 0.0, normalise=True)
        self.norm = layer_norm(channels, norm_eps)
        self.pwconv1 = dense(channels, _EXPANSION * channels)
        self.act = gelu(exact_gelu)
        self.pwconv2 = dense(_EXPANSION * channels, channels)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        y = to_tokens(self.filter(x))
        if self.pos_embd is not None:
            y = y + self.pos_embd()
        y = y + self.drop_path(self.gamma_xca * self.xca(self.norm_xca(y)))
        y = self.gamma * self.pwconv2(self.act(self.pwconv1(self.norm(y))))
        y = ops.reshape(ops.transpose(y, (0, 2, 1)), (-1, channels, height, width))
        return x + self.drop_path(y)

    def filter(self, x: Tensor) -> Tensor:
        """Each group filtered together with what the one before it gave; the last stays."""
        parts = ops.split(x, self.sections, 1)
        part = self.convs[0](parts[0])
        out: tuple[Tensor, ...] = (part,)
        for index in range(1, len(self.convs)):
            part = self.convs[index](part + parts[index])
            out = (*out, part)
        return ops.concat((*out, parts[len(self.convs)]), 1)


class EdgeNeXt(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits, or the maps of `out_indices`."""

    def __init__(
        self,
        image_size: int,
        depths: Sequence[int],
        widths: Sequence[int],
        num_heads: int,
        kernels: Sequence[int],
        groups: Sequence[int],
        attention_blocks: Sequence[int],
        position_stages: Sequence[int],
        num_classes: int,
        in_channels: int,
        norm_eps: float,
        exact_gelu: bool,
        layer_scale: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        rates = drop_path_rates(drop_path, sum(depths))
        shrinks, stages, start = [], [], 0
        for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            if stage == 0:
                shrink = [_conv(in_channels, width, 4, 4, 1), ChannelNorm(width, norm_eps)]
            else:
                before = widths[stage - 1]
                shrink = [ChannelNorm(before, norm_eps), _conv(before, width, 2, 2, 1)]
            shrinks.append(nn.SequentialCell(shrink))
            numerics = (norm_eps, exact_gelu, layer_scale)
            blocks: list[nn.Cell] = []
            for block, rate in enumerate(rates[start : start + depth]):
                if block < depth - attention_blocks[stage]:
                    blocks.append(ConvEncoder(width, kernels[stage], *numerics, rate))
                else:
                    grid = image_size // 4 // 2**stage if stage in position_stages else None
                    options = (width, groups[stage], num_heads, grid)
                    blocks.append(SplitAttentionEncoder(*options, *numerics, rate))
            stages.append(nn.SequentialCell(blocks))
            start += depth
        self.downsample_layers = nn.CellList(shrinks)
        self.stages = nn.CellList(stages)
        self.feature_info = tuple(FeatureMap(widths[i], 4 * 2**i) for i in out_indices or ())
        if out_indices is None:
            self.pool = GlobalAvgPool()
            self.norm = layer_norm(widths[-1], norm_eps)
            self.head = dense(widths[-1], num_classes)
        name_parameters(self, _PUBLISHED_NAMES)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        maps: tuple[Tensor, ...] = ()
        for index, shrink in enumerate(self.downsample_layers):
            x = self.stages[index](shrink(x))
            if self.out_indices is not None and index in self.out_indices:
                maps = (*maps, x)
        if self.out_indices is not None:
            return maps
        return self.head(self.norm(self.pool(x)))


def edgenext(
    image_size: int = 256,
    depths: Sequence[int] = (3, 3, 9, 3),
    dims: Sequence[int] = (48, 96, 160, 304),
    num_heads: int = 8,
    kernel_sizes: Sequence[int] = (3, 5, 7, 9),
    groups: Sequence[int] = (2, 2, 3, 4),
    attention_blocks: Sequence[int] = (0, 1, 1, 1),
    position_stages: Sequence[int] = (1,),
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-6,
    exact_gelu: bool = True,
    layer_scale: float = 1e-6,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> EdgeNeXt:
    """EdgeNeXt: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; positions are computed for it.
        depths: blocks of each of the four stages.
        dims: channels of each.
        num_heads: heads of each attention.
        kernel_sizes: of each stage's convolutions.
        groups: into how many groups each stage's attention splits the channels, at least two.
        attention_blocks: how many blocks of each stage, the last ones, attend.
        position_stages: the stages, from 0, whose attention sees positions.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function; tanh otherwise.
        layer_scale: what the factors of the residual branches start at.
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out norm and classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: stages that differ in number, fewer than two groups, or a stage that does
            not exist.
    """
    if len({len(depths), len(dims), len(kernel_sizes), len(groups), len(attention_blocks)}) > 1:
        raise ValueError("the arguments of stages should be for the same number of them")
    if min(groups) < 2:
        raise ValueError(f"groups={tuple(groups)} should be at least 2 each")
    return EdgeNeXt(
        image_size,
        depths,
        dims,
        num_heads,
        kernel_sizes,
        groups,
        attention_blocks,
        position_stages,
        num_classes,
        in_channels,
        norm_eps,
        exact_gelu,
        layer_scale,
        drop_path,
        check_out_indices(out_indices, len(depths)) if features_only else None,
    )
