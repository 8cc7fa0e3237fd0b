"""PoolFormer of every size.

Source: Yu et al., "MetaFormer Is Actually What You Need for Vision" (2022). Parameter names are
those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.map_norms import PictureNorm
from zoohub.networks.layers.mlp import ConvMlp
from zoohub.networks.layers.pooling import GlobalAvgPool


class PatchConv(nn.Cell):
    """A convolution of overlapping patches: (B, in_channels, H, W) -> (B, channels, …)."""

    def __init__(
        self, in_channels: int, channels: int, kernel: int, stride: int, padding: int
    ) -> None:
        super().__init__()
        self.proj = conv2d(in_channels, channels, kernel, stride, padding, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        return self.proj(x)


class PoolFormerBlock(nn.Cell):
    """How the neighbours differ, then an MLP, each after a norm, scaled and added.

    (B, C, H, W) -> the same shape.
    """

    def __init__(
        self,
        channels: int,
        mlp_ratio: float,
        pool_size: int,
        layer_scale: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.layer_scale_1 = Parameter(initializer(layer_scale, (channels,)))
        self.layer_scale_2 = Parameter(initializer(layer_scale, (channels,)))
        self.norm1 = PictureNorm(channels)
        self.pool = nn.AvgPool2d(pool_size, 1, pad_mode="same")
        self.norm2 = PictureNorm(channels)
        self.mlp = ConvMlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        y = (self.pool(y) - y) * ops.reshape(self.layer_scale_1, (-1, 1, 1))
        x = x + self.drop_path(y)
        y = self.mlp(self.norm2(x)) * ops.reshape(self.layer_scale_2, (-1, 1, 1))
        return x + self.drop_path(y)


class PoolFormer(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the maps of `out_indices`."""

    def __init__(
        self,
        depths: Sequence[int],
        widths: Sequence[int],
        mlp_ratios: Sequence[float],
        pool_size: int,
        num_classes: int,
        in_channels: int,
        layer_scale: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.patch_embed = PatchConv(in_channels, widths[0], 7, 4, 2)
        rates = drop_path_rates(drop_path, sum(depths))
        network: list[nn.Cell] = []
        start = 0
        for index, (depth, width, ratio) in enumerate(zip(depths, widths, mlp_ratios, strict=True)):
            if index:
                network.append(PatchConv(widths[index - 1], width, 3, 2, 1))
            options = (width, ratio, pool_size, layer_scale, exact_gelu, dropout)
            own = rates[start : start + depth]
            network.append(nn.SequentialCell([PoolFormerBlock(*options, rate) for rate in own]))
            start += depth
        self.network = nn.CellList(network)
        self.feature_info = tuple(FeatureMap(widths[i], 4 * 2**i) for i in out_indices or ())
        if out_indices is None:
            self.norm = PictureNorm(widths[-1])
            self.pool = GlobalAvgPool()
            self.head = dense(widths[-1], num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.patch_embed(x)
        maps: tuple[Tensor, ...] = ()
        for index, layer in enumerate(self.network):
            x = layer(x)
            if self.out_indices is not None and index / 2 in self.out_indices:
                maps = (*maps, x)
        if self.out_indices is not None:
            return maps
        return self.head(self.pool(self.norm(x)))


def poolformer(
    depths: Sequence[int] = (2, 2, 6, 2),
    embed_dims: Sequence[int] = (64, 128, 320, 512),
    mlp_ratios: Sequence[float] = (4.0, 4.0, 4.0, 4.0),
    pool_size: int = 3,
    num_classes: int = 1000,
    in_channels: int = 3,
    layer_scale: float = 1e-5,
    exact_gelu: bool = True,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> PoolFormer:
    """PoolFormer: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depths: blocks of each of the four stages.
        embed_dims: channels of each.
        mlp_ratios: hidden channels of each stage's MLPs, in multiples of its channels.
        pool_size: side of the neighbourhood that a place is compared with.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        layer_scale: what the factors of the residual branches start at.
        exact_gelu: GELU by the error function; tanh otherwise.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out norm and classifier and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: stages that differ in number, or one that does not exist.
    """
    if not len(depths) == len(embed_dims) == len(mlp_ratios):
        raise ValueError("depths, embed_dims and mlp_ratios should be for the same stages")
    return PoolFormer(
        depths,
        embed_dims,
        mlp_ratios,
        pool_size,
        num_classes,
        in_channels,
        layer_scale,
        exact_gelu,
        dropout,
        drop_path,
        check_out_indices(out_indices, len(depths)) if features_only else None,
    )
