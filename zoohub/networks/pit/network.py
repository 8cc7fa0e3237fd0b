"""Pooling-based vision transformer (PiT) of every size.

Source: Heo et al., "Rethinking Spatial Dimensions of Vision Transformers" (2021). Parameter names
are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.attention import SeparateAttention
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.patch_embed import prepend, to_map, to_tokens
from zoohub.networks.layers.vit_block import ViTBlock

# mindcv filled its lists one by one; what came after the first transformer fell under it.
_PUBLISHED_NAMES = (
    (r"transformers\.0\.(.+)", r"0.\1"),
    (r"transformers\.(\d+)\.(.+)", r"0.blocks.\1.\2"),
    (r"pools\.(.+)", r"\1"),
)


class PatchConv(nn.Cell):
    """Overlapping patches: (B, in_channels, S, S) -> (B, channels, (S - size) // stride + 1, …)."""

    def __init__(self, in_channels: int, channels: int, patch_size: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, channels, patch_size, stride, pad_mode="valid", has_bias=True
        )

    def construct(self, x: Tensor) -> Tensor:
        return self.conv(x)


class HeadPooling(nn.Cell):
    """Half the height and width, more channels: each channel's own convolution makes several.

    Map (B, C, H, W) and class token (B, 1, C) -> the same with `out_channels`.
    """

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels,
            out_channels,
            3,
            2,
            pad_mode="pad",
            padding=1,
            group=channels,
            has_bias=True,
        )
        self.fc = dense(channels, out_channels)

    def construct(self, x: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
        return self.conv(x), self.fc(token)


class Transformer(nn.Cell):
    """Blocks over the places of a map and the class token; shapes stay."""

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        rates: Sequence[float],
    ) -> None:
        super().__init__()
        self.blocks = nn.CellList(
            [
                ViTBlock(
                    channels,
                    num_heads,
                    mlp_ratio,
                    norm_eps,
                    exact_gelu,
                    dropout=dropout,
                    drop_path=rate,
                    attention=SeparateAttention(channels, num_heads, dropout=dropout),
                )
                for rate in rates
            ]
        )

    def construct(self, x: Tensor, token: Tensor) -> tuple[Tensor, Tensor]:
        height, width = x.shape[2:]
        tokens = ops.concat((token, to_tokens(x)), 1)
        for block in self.blocks:
            tokens = block(tokens)
        return to_map(tokens[:, 1:], height, width), tokens[:, :1]


class PoolingTransformer(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits, or the maps of `out_indices`."""

    def __init__(
        self,
        grid: int,
        patch_size: int,
        stride: int,
        widths: Sequence[int],
        depths: Sequence[int],
        num_heads: Sequence[int],
        mlp_ratio: float,
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
        init = TruncatedNormal(0.02)
        self.pos_embed = Parameter(initializer(init, (1, widths[0], grid, grid)))
        self.cls_token = Parameter(initializer(init, (1, 1, widths[0])))
        self.patch_embed = PatchConv(in_channels, widths[0], patch_size, stride)
        self.pos_drop = nn.Dropout(p=dropout)
        rates = [drop_path * block / sum(depths) for block in range(sum(depths))]
        options = (mlp_ratio, norm_eps, exact_gelu, dropout)
        transformers, start = [], 0
        for width, depth, heads in zip(widths, depths, num_heads, strict=True):
            own = rates[start : start + depth]
            transformers.append(Transformer(width, heads, *options, own))
            start += depth
        self.transformers = nn.CellList(transformers)
        self.pools = nn.CellList([HeadPooling(*pair) for pair in pairwise(widths)])
        maps = [FeatureMap(width, stride * 2**index) for index, width in enumerate(widths)]
        self.feature_info = tuple(maps[index] for index in out_indices or ())
        if out_indices is None:
            self.norm = layer_norm(widths[-1], norm_eps)
            self.head = dense(widths[-1], num_classes)
        name_parameters(self, _PUBLISHED_NAMES)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.pos_drop(self.patch_embed(x) + self.pos_embed)
        token = prepend(self.cls_token, to_tokens(x))[:, :1]
        maps: tuple[Tensor, ...] = ()
        for index, transformer in enumerate(self.transformers):
            if index > 0:
                x, token = self.pools[index - 1](x, token)
            x, token = transformer(x, token)
            if self.out_indices is not None and index in self.out_indices:
                maps = (*maps, x)
        if self.out_indices is not None:
            return maps
        return self.head(self.norm(token)[:, 0])


def pit(
    image_size: int = 224,
    patch_size: int = 16,
    stride: int = 8,
    base_dims: Sequence[int] = (48, 48, 48),
    depths: Sequence[int] = (2, 6, 4),
    num_heads: Sequence[int] = (3, 6, 12),
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-6,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2),
) -> PoolingTransformer:
    """PiT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        patch_size: side of a patch in pixels: 16 or 14.
        stride: pixels from one patch to the next: 8 or 7.
        base_dims: channels of each head, by stage.
        depths: blocks of each stage.
        num_heads: heads of each stage's attention.
        mlp_ratio: hidden channels of each MLP, in multiples of its input's.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples for which a block would be skipped in training at the depth
            after the last.
        features_only: leave out norm and classifier and return a tuple of feature maps.
        out_indices: which stages' maps; each next one has half the height and width.

    Raises:
        ValueError: stages that differ in number, or one that does not exist.
    """
    if not len(base_dims) == len(depths) == len(num_heads):
        raise ValueError(
            f"base_dims, depths and num_heads are for {len(base_dims)}, {len(depths)} and "
            f"{len(num_heads)} stages; they should agree"
        )
    return PoolingTransformer(
        (image_size - patch_size) // stride + 1,
        patch_size,
        stride,
        [width * heads for width, heads in zip(base_dims, num_heads, strict=True)],
        depths,
        num_heads,
        mlp_ratio,
        num_classes,
        in_channels,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
        check_out_indices(out_indices, len(depths)) if features_only else None,
    )
