"""VOLO of every size.

Source: Yuan et al., "VOLO: Vision Outlooker for Visual Recognition" (2022). Parameter names and
the order of patches' values are those of mindcv. There is no reference output: the operator that
mindcv takes patches with has no kernel on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.attention import attend, merge_heads, split_heads, weighted_sum
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.mlp import Mlp
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.patch_embed import prepend
from zoohub.networks.layers.patches import fold, unfold
from zoohub.networks.layers.vit_block import ViTBlock

_WINDOW = 3
_PLACES = _WINDOW * _WINDOW
_STRIDE = 2
_CLASS_BLOCKS = 2


class OutlookAttention(nn.Cell):
    """Each place says how its neighbourhood mixes: (B, H, W, C) -> the same shape."""

    def __init__(self, channels: int, num_heads: int, qkv_bias: bool) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5
        self.v = dense(channels, channels, qkv_bias)
        self.attn = dense(channels, _PLACES * _PLACES * num_heads)
        self.proj = dense(channels, channels)
        self.pool = nn.AvgPool2d(_STRIDE, _STRIDE)

    def construct(self, x: Tensor) -> Tensor:
        _, height, width, channels = x.shape
        heads, inner = self.num_heads, channels // self.num_heads
        value = unfold(ops.transpose(self.v(x), (0, 3, 1, 2)), _WINDOW, _STRIDE, _WINDOW // 2)
        rows, columns = value.shape[3:]
        # The windows' values come channel by channel for each place, and are read as places for
        # each channel: the published weights have learnt to live with it.
        value = ops.reshape(value, (-1, heads, inner, _PLACES, rows * columns))
        value = ops.transpose(value, (0, 1, 4, 3, 2))
        coarse = ops.transpose(self.pool(ops.transpose(x, (0, 3, 1, 2))), (0, 2, 3, 1))
        weights = ops.reshape(self.attn(coarse), (-1, rows * columns, heads, _PLACES, _PLACES))
        weights = ops.softmax(ops.transpose(weights, (0, 2, 1, 3, 4)) * self.scale, -1)
        out = ops.transpose(weighted_sum(weights, value), (0, 1, 4, 3, 2))
        out = ops.reshape(out, (-1, channels, _PLACES, rows, columns))
        out = fold(out, _WINDOW, _STRIDE, _WINDOW // 2, height, width)
        return self.proj(ops.transpose(out, (0, 2, 3, 1)))


class Outlooker(nn.Cell):
    """Outlook attention, then an MLP, each after a norm and added: (B, H, W, C) -> the same."""

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        qkv_bias: bool,
        norm_eps: float,
        exact_gelu: bool,
    ) -> None:
        super().__init__()
        self.norm1 = layer_norm(channels, norm_eps)
        self.attn = OutlookAttention(channels, num_heads, qkv_bias)
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = Mlp(channels, int(channels * mlp_ratio), exact_gelu=exact_gelu)

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ClassAttention(nn.Cell):
    """The first token looks at all: (B, N, C) -> (B, 1, C)."""

    def __init__(self, channels: int, num_heads: int, qkv_bias: bool) -> None:
        super().__init__()
        self.channels, self.num_heads = channels, num_heads
        self.scale = (channels // num_heads) ** -0.5
        self.kv = dense(channels, 2 * channels, qkv_bias)
        self.q = dense(channels, channels, qkv_bias)
        self.proj = dense(channels, channels)

    def construct(self, x: Tensor) -> Tensor:
        k, v = ops.split(self.kv(x), self.channels, -1)
        q, k = split_heads(self.q(x[:, :1]), self.num_heads), split_heads(k, self.num_heads)
        v = split_heads(v, self.num_heads)
        return self.proj(merge_heads(attend(q, k, v, self.scale)))


class ClassBlock(nn.Cell):
    """Class attention, then an MLP of the class token: (B, N, C) -> the same shape."""

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        qkv_bias: bool,
        norm_eps: float,
        exact_gelu: bool,
    ) -> None:
        super().__init__()
        self.norm1 = layer_norm(channels, norm_eps)
        self.attn = ClassAttention(channels, num_heads, qkv_bias)
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = Mlp(channels, int(channels * mlp_ratio), exact_gelu=exact_gelu)

    def construct(self, x: Tensor) -> Tensor:
        token = x[:, :1] + self.attn(self.norm1(x))
        token = token + self.mlp(self.norm2(token))
        return ops.concat((token, x[:, 1:]), 1)


class ConvPatchEmbed(nn.Cell):
    """Three convolutions, then patches: (B, in_channels, H, W) -> (B, H / 8, W / 8, channels)."""

    def __init__(self, in_channels: int, hidden: int, channels: int, patch_size: int) -> None:
        super().__init__()
        layers: list[nn.Cell] = []
        for before, kernel, stride in ((in_channels, 7, 2), (hidden, 3, 1), (hidden, 3, 1)):
            layers += [conv2d(before, hidden, kernel, stride), BatchNorm2d(hidden), nn.ReLU()]
        self.conv = nn.SequentialCell(layers)
        size = patch_size // 2
        self.proj = conv2d(hidden, channels, size, size, "same", bias=True)

    def construct(self, x: Tensor) -> Tensor:
        return ops.transpose(self.proj(self.conv(x)), (0, 2, 3, 1))


class Downsample(nn.Cell):
    """(B, H, W, in_channels) -> (B, H / 2, W / 2, channels)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.proj = conv2d(in_channels, channels, 2, 2, "same", bias=True)

    def construct(self, x: Tensor) -> Tensor:
        return ops.transpose(self.proj(ops.transpose(x, (0, 3, 1, 2))), (0, 2, 3, 1))


class VOLO(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits, or the maps of `out_indices`."""

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        stem_channels: int,
        widths: tuple[int, int],
        depths: Sequence[int],
        num_heads: tuple[int, int],
        mlp_ratio: float,
        num_classes: int,
        in_channels: int,
        qkv_bias: bool,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        fine, coarse = widths
        self.grid = image_size // patch_size // 2
        init = TruncatedNormal(0.02)
        self.pos_embed = Parameter(initializer(init, (1, self.grid, self.grid, coarse)))
        if out_indices is None:
            self.cls_token = Parameter(initializer(init, (1, 1, coarse)))
        self.patch_embed = ConvPatchEmbed(in_channels, stem_channels, fine, patch_size)
        self.pos_drop = nn.Dropout(p=dropout)
        looking = [
            Outlooker(fine, num_heads[0], mlp_ratio, qkv_bias, norm_eps, exact_gelu)
            for _ in range(depths[0])
        ]
        stages = [nn.SequentialCell(looking), Downsample(fine, coarse)]
        options = (coarse, num_heads[1], mlp_ratio, norm_eps, exact_gelu, qkv_bias, 0.0)
        block, count = depths[0], sum(depths)
        for depth in depths[1:]:
            own = [drop_path * index / (count - 1) for index in range(block, block + depth)]
            stages.append(nn.SequentialCell([ViTBlock(*options, rate) for rate in own]))
            block += depth
        self.network = nn.CellList(stages)
        maps = (FeatureMap(fine, patch_size), FeatureMap(coarse, 2 * patch_size))
        self.feature_info = tuple(maps[index] for index in out_indices or ())
        if out_indices is None:
            self.post_network = nn.CellList(
                [
                    ClassBlock(coarse, num_heads[1], mlp_ratio, qkv_bias, norm_eps, exact_gelu)
                    for _ in range(_CLASS_BLOCKS)
                ]
            )
            # For training by the labels of all tokens; published files hold it.
            self.aux_head = dense(coarse, num_classes)
            self.norm = layer_norm(coarse, norm_eps)
            self.head = dense(coarse, num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        fine = self.network[0](self.patch_embed(x))
        x = self.pos_drop(self.network[1](fine) + self.pos_embed)
        x = ops.reshape(x, (-1, self.grid * self.grid, x.shape[3]))
        for index in range(2, len(self.network)):
            x = self.network[index](x)
        if self.out_indices is None:
            tokens = prepend(self.cls_token, x)
            for block in self.post_network:
                tokens = block(tokens)
            return self.head(self.norm(tokens)[:, 0])
        coarse = ops.reshape(x, (-1, self.grid, self.grid, x.shape[2]))
        maps = (ops.transpose(fine, (0, 3, 1, 2)), ops.transpose(coarse, (0, 3, 1, 2)))
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def volo(
    image_size: int = 224,
    patch_size: int = 8,
    stem_channels: int = 64,
    embed_dims: Sequence[int] = (192, 384),
    depths: Sequence[int] = (4, 4, 8, 2),
    num_heads: Sequence[int] = (6, 12),
    mlp_ratio: float = 3.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    qkv_bias: bool = False,
    norm_eps: float = 1e-7,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1),
) -> VOLO:
    """VOLO: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        patch_size: side of the fine patches in pixels; the coarse ones are twice as large.
        stem_channels: channels of the first convolutions: 64, or 128 (d5).
        embed_dims: channels of a token on the fine grid, and on the coarse one.
        depths: outlookers on the fine grid, then transformer blocks on the coarse, in groups.
        num_heads: heads of the attention on the fine grid, and on the coarse one.
        mlp_ratio: hidden channels of each MLP, in multiples of its input's.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        qkv_bias: biases of the dense layers that make query, key and value.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
        features_only: leave out what follows the blocks and return a tuple of feature maps.
        out_indices: which maps: 0 is the fine grid's (1/8 of the size), 1 the coarse one's (1/16).

    Raises:
        ValueError: other than two grids, or a map that does not exist.
    """
    if len(embed_dims) != 2 or len(num_heads) != 2:
        raise ValueError("volo has two grids: give embed_dims and num_heads two values")
    return VOLO(
        image_size,
        patch_size,
        stem_channels,
        (embed_dims[0], embed_dims[1]),
        depths,
        (num_heads[0], num_heads[1]),
        mlp_ratio,
        num_classes,
        in_channels,
        qkv_bias,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
        check_out_indices(out_indices, 2) if features_only else None,
    )
