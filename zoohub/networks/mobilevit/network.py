"""MobileViT of every size.

Source: Mehta and Rastegari, "MobileViT: Light-weight, General-purpose, and Mobile-friendly Vision
Transformer" (2022). Parameter names are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.attention import attend, merge_heads, split_heads
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.resample import resize_corners
from zoohub.networks.layers.widths import make_divisible

_PATCH = 2  # side of the patches whose places attend to their like
_STEM_CHANNELS = 16
_TRANSFORMER_BLOCKS = (2, 4, 3)
_STRIDES = (2, 4, 8, 16, 32)


class ConvLayer(nn.Cell):
    """Convolution, batch norm and, unless left out, SiLU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        super().__init__()
        conv = conv2d(in_channels, out_channels, kernel, stride, groups=groups)
        layers = [conv, BatchNorm2d(out_channels), *([nn.SiLU()] if act else [])]
        self.features = nn.SequentialCell(layers)

    def construct(self, x: Tensor) -> Tensor:
        return self.features(x)


class InvertedResidual(nn.Cell):
    """Expand, filter each channel by itself, project; the input added where shapes allow.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = make_divisible(in_channels * expansion)
        self.block = nn.SequentialCell(
            [
                ConvLayer(in_channels, hidden, 1),
                ConvLayer(hidden, hidden, 3, stride, groups=hidden),
                ConvLayer(hidden, out_channels, 1, act=False),
            ]
        )
        self.shortcut = stride == 1 and in_channels == out_channels

    def construct(self, x: Tensor) -> Tensor:
        return x + self.block(x) if self.shortcut else self.block(x)


class SelfAttention(nn.Cell):
    """(B, N, C) -> the same shape."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.channels, self.num_heads = channels, num_heads
        self.scale = (channels // num_heads) ** -0.5
        self.qkv_proj = dense(channels, 3 * channels)
        self.out_proj = dense(channels, channels)

    def construct(self, x: Tensor) -> Tensor:
        q, k, v = ops.split(self.qkv_proj(x), self.channels, -1)
        q, k = split_heads(q, self.num_heads), split_heads(k, self.num_heads)
        v = split_heads(v, self.num_heads)
        return self.out_proj(merge_heads(attend(q, k, v, self.scale)))


class TransformerEncoder(nn.Cell):
    """Attention, then two dense layers, each after a norm and added: (B, N, C) -> the same."""

    def __init__(
        self, channels: int, hidden: int, num_heads: int, norm_eps: float, dropout: float
    ) -> None:
        super().__init__()
        self.pre_norm_mha = nn.SequentialCell(
            [
                layer_norm(channels, norm_eps),
                SelfAttention(channels, num_heads),
                nn.Dropout(p=dropout),
            ]
        )
        self.pre_norm_ffn = nn.SequentialCell(
            [
                layer_norm(channels, norm_eps),
                dense(channels, hidden),
                nn.SiLU(),
                nn.Dropout(p=0.0),
                dense(hidden, channels),
                nn.Dropout(p=dropout),
            ]
        )

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.pre_norm_mha(x)
        return x + self.pre_norm_ffn(x)


class MobileViTBlock(nn.Cell):
    """Convolutions, a transformer over like places of all patches, and convolutions over both.

    (B, channels, H, W) -> the same shape. Maps that patches do not divide are resized to the
    next size that they do, and back.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        depth: int,
        num_heads: int,
        norm_eps: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.local_rep = nn.SequentialCell(
            [ConvLayer(channels, channels, 3), ConvLayer(channels, width, 1)]
        )
        blocks: list[nn.Cell] = [
            TransformerEncoder(width, 2 * width, num_heads, norm_eps, dropout) for _ in range(depth)
        ]
        self.global_rep = nn.CellList([*blocks, layer_norm(width, norm_eps)])
        self.conv_proj = ConvLayer(width, channels, 1)
        self.fusion = ConvLayer(2 * channels, channels, 3)

    def construct(self, x: Tensor) -> Tensor:
        height, width = x.shape[2:]
        rows, columns = (height + _PATCH - 1) // _PATCH, (width + _PATCH - 1) // _PATCH
        y = resize_corners(self.local_rep(x), rows * _PATCH, columns * _PATCH)
        channels = y.shape[1]
        y = ops.reshape(y, (-1, channels, rows, _PATCH, columns, _PATCH))
        y = ops.reshape(ops.transpose(y, (0, 3, 5, 2, 4, 1)), (-1, rows * columns, channels))
        for layer in self.global_rep:
            y = layer(y)
        y = ops.reshape(y, (-1, _PATCH, _PATCH, rows, columns, channels))
        y = ops.reshape(
            ops.transpose(y, (0, 5, 3, 1, 4, 2)), (-1, channels, rows * _PATCH, columns * _PATCH)
        )
        y = self.conv_proj(resize_corners(y, height, width))
        return self.fusion(ops.concat((x, y), 1))


class MobileViT(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the maps of `out_indices`."""

    def __init__(
        self,
        widths: Sequence[int],
        transformer_widths: Sequence[int],
        expansion: int,
        num_heads: int,
        num_classes: int,
        in_channels: int,
        norm_eps: float,
        dropout: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.conv_1 = ConvLayer(in_channels, _STEM_CHANNELS, 3, 2)
        first, second, *later = widths
        self.layer_1 = nn.SequentialCell([InvertedResidual(_STEM_CHANNELS, first, 1, expansion)])
        self.layer_2 = nn.SequentialCell(
            [
                InvertedResidual(first if index == 0 else second, second, stride, expansion)
                for index, stride in enumerate((2, 1, 1))
            ]
        )
        before, layers = second, []
        for width, inner, depth in zip(later, transformer_widths, _TRANSFORMER_BLOCKS, strict=True):
            shrink = InvertedResidual(before, width, 2, expansion)
            block = MobileViTBlock(width, inner, depth, num_heads, norm_eps, dropout)
            layers.append(nn.SequentialCell([shrink, block]))
            before = width
        self.layer_3, self.layer_4, self.layer_5 = layers
        self.feature_info = tuple(FeatureMap(widths[i], _STRIDES[i]) for i in out_indices or ())
        if out_indices is None:
            last = min(4 * before, 960)
            self.conv_1x1_exp = ConvLayer(before, last, 1)
            self.classifier = nn.SequentialCell(
                [
                    GlobalAvgPool(),
                    nn.Identity(),
                    nn.Dropout(p=dropout),
                    dense(last, num_classes),
                ]
            )

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        map1 = self.layer_1(self.conv_1(x))
        map2 = self.layer_2(map1)
        map3 = self.layer_3(map2)
        map4 = self.layer_4(map3)
        map5 = self.layer_5(map4)
        if self.out_indices is None:
            return self.classifier(self.conv_1x1_exp(map5))
        maps = (map1, map2, map3, map4, map5)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def mobilevit(
    dims: Sequence[int] = (32, 64, 96, 128, 160),
    transformer_dims: Sequence[int] = (144, 192, 240),
    expansion: int = 4,
    num_heads: int = 4,
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-7,
    dropout: float = 0.1,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> MobileViT:
    """MobileViT: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        dims: channels of the five stages.
        transformer_dims: channels of a token in the last three.
        expansion: of the inverted residuals: 4, or 2 (extra extra small).
        num_heads: heads of each attention.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms.
        dropout: share of values set to zero in training.
        features_only: leave out what follows the last stage and return a tuple of feature maps.
        out_indices: which stages' maps: at 1/2, 1/4, 1/8, 1/16, 1/32 of the picture's size.

    Raises:
        ValueError: another number of stages, or one that does not exist.
    """
    if len(dims) != 5 or len(transformer_dims) != 3:
        raise ValueError("mobilevit has five stages, the last three with transformers")
    return MobileViT(
        dims,
        transformer_dims,
        expansion,
        num_heads,
        num_classes,
        in_channels,
        norm_eps,
        dropout,
        check_out_indices(out_indices, 5) if features_only else None,
    )
