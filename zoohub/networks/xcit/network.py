"""XCiT.

Source: El-Nouby et al., "XCiT: Cross-Covariance Image Transformers" (2021). Parameter names and
numerics are those of mindcv, which unlike the paper does not normalise queries and keys.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import attend, merge_heads, split_heads
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.cross_covariance import CrossCovarianceAttention, FourierEmbedding
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath
from zoohub.networks.layers.mlp import Mlp
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.patch_embed import prepend, to_map, to_tokens

_CLASS_BLOCKS = 2


class ConvPatchEmbed(nn.Cell):
    """3×3 convolutions of stride 2, as many as make the patch: (B, C, H, W) -> tokens."""

    def __init__(self, in_channels: int, channels: int, patch_size: int, exact_gelu: bool) -> None:
        super().__init__()
        steps = {16: (8, 4, 2, 1), 8: (4, 2, 1)}[patch_size]
        layers: list[nn.Cell] = []
        before = in_channels
        for step in steps:
            after = channels // step
            conv = conv2d(before, after, 3, 2)
            layers += [nn.SequentialCell([conv, BatchNorm2d(after)]), gelu(exact_gelu)]
            before = after
        self.proj = nn.SequentialCell(layers[:-1])

    def construct(self, x: Tensor) -> Tensor:
        return to_tokens(self.proj(x))


class LocalInteraction(nn.Cell):
    """Two 3×3 convolutions of each channel: tokens (B, H·W, C), H and W -> the same shape."""

    def __init__(self, channels: int, exact_gelu: bool) -> None:
        super().__init__()
        self.conv1 = conv2d(channels, channels, 3, groups=channels, bias=True)
        self.act = gelu(exact_gelu)
        self.bn = BatchNorm2d(channels)
        self.conv2 = conv2d(channels, channels, 3, groups=channels, bias=True)

    def construct(self, x: Tensor, grid: int) -> Tensor:
        return to_tokens(self.conv2(self.bn(self.act(self.conv1(to_map(x, grid, grid))))))


class CrossCovarianceBlock(nn.Cell):
    """Channels, neighbours, then an MLP: tokens (B, grid², C) -> the same shape."""

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        qkv_bias: bool,
        norm_eps: float,
        exact_gelu: bool,
        layer_scale: float,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.gamma1 = Parameter(initializer(layer_scale, (channels,)))
        self.gamma2 = Parameter(initializer(layer_scale, (channels,)))
        self.gamma3 = Parameter(initializer(layer_scale, (channels,)))
        self.norm1 = layer_norm(channels, norm_eps)
        self.attn = CrossCovarianceAttention(channels, num_heads, qkv_bias, dropout)
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = Mlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.norm3 = layer_norm(channels, norm_eps)
        self.local_mp = LocalInteraction(channels, exact_gelu)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor, grid: int) -> Tensor:
        x = x + self.drop_path(self.gamma1 * self.attn(self.norm1(x)))
        x = x + self.drop_path(self.gamma3 * self.local_mp(self.norm3(x), grid))
        return x + self.drop_path(self.gamma2 * self.mlp(self.norm2(x)))


class ClassAttention(nn.Cell):
    """The first token looks at all, the others stay: (B, N, C) -> the same shape."""

    def __init__(self, channels: int, num_heads: int, qkv_bias: bool) -> None:
        super().__init__()
        self.channels, self.num_heads = channels, num_heads
        self.scale = (channels // num_heads) ** -0.5
        self.qkv = dense(channels, 3 * channels, qkv_bias)
        self.proj = dense(channels, channels)

    def construct(self, x: Tensor) -> Tensor:
        q, k, v = ops.split(self.qkv(x), self.channels, -1)
        q = split_heads(q[:, :1], self.num_heads)
        k, v = split_heads(k, self.num_heads), split_heads(v, self.num_heads)
        token = self.proj(merge_heads(attend(q, k, v, self.scale)))
        return ops.concat((token, x[:, 1:]), 1)


class ClassAttentionBlock(nn.Cell):
    """Class attention, then an MLP of the class token: (B, N, C) -> the same shape.

    The second norm is of the residual stream itself, and the other tokens are doubled, as the
    authors' code does it.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        qkv_bias: bool,
        norm_eps: float,
        exact_gelu: bool,
        layer_scale: float,
    ) -> None:
        super().__init__()
        self.gamma1 = Parameter(initializer(layer_scale, (channels,)))
        self.gamma2 = Parameter(initializer(layer_scale, (channels,)))
        self.norm1 = layer_norm(channels, norm_eps)
        self.attn = ClassAttention(channels, num_heads, qkv_bias)
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = Mlp(channels, int(channels * mlp_ratio), exact_gelu=exact_gelu)

    def construct(self, x: Tensor) -> Tensor:
        x = self.norm2(x + self.gamma1 * self.attn(self.norm1(x)))
        token = self.gamma2 * self.mlp(x[:, :1])
        return x + ops.concat((token, x[:, 1:]), 1)


class XCiT(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits (B, num_classes)."""

    def __init__(
        self,
        grid: int,
        patch_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        num_classes: int,
        in_channels: int,
        qkv_bias: bool,
        norm_eps: float,
        exact_gelu: bool,
        layer_scale: float,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        self.grid = grid
        self.cls_token = Parameter(initializer(TruncatedNormal(0.02), (1, 1, embed_dim)))
        self.patch_embed = ConvPatchEmbed(in_channels, embed_dim, patch_size, exact_gelu)
        self.pos_drop = nn.Dropout(p=dropout)
        options = (embed_dim, num_heads, mlp_ratio, qkv_bias, norm_eps, exact_gelu, layer_scale)
        self.blocks = nn.CellList(
            [CrossCovarianceBlock(*options, dropout, drop_path) for _ in range(depth)]
        )
        self.cls_attn_blocks = nn.CellList(
            [ClassAttentionBlock(*options) for _ in range(_CLASS_BLOCKS)]
        )
        self.norm = layer_norm(embed_dim, norm_eps)
        self.head = dense(embed_dim, num_classes)
        self.pos_embeder = FourierEmbedding(grid, embed_dim)

    def construct(self, x: Tensor) -> Tensor:
        x = self.pos_drop(self.patch_embed(x) + self.pos_embeder())
        for block in self.blocks:
            x = block(x, self.grid)
        x = prepend(self.cls_token, x)
        for block in self.cls_attn_blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


def xcit(
    image_size: int = 224,
    patch_size: int = 16,
    embed_dim: int = 192,
    depth: int = 12,
    num_heads: int = 4,
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    qkv_bias: bool = True,
    norm_eps: float = 1e-6,
    exact_gelu: bool = False,
    layer_scale: float = 1.0,
    dropout: float = 0.0,
    drop_path: float = 0.0,
) -> XCiT:
    """XCiT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; positions are computed for it.
        patch_size: side of a patch in pixels: 16 or 8.
        embed_dim: channels of a token: 192 (tiny).
        depth: blocks before those of the class token.
        num_heads: heads of each attention.
        mlp_ratio: hidden channels of each MLP, in multiples of its input's.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        qkv_bias: biases of the dense layers that make query, key and value.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        layer_scale: what the factors of the residual branches start at.
        dropout: share of values set to zero in training.
        drop_path: share of samples for which each block is skipped in training.

    Raises:
        ValueError: another size of patches.
    """
    if patch_size not in (8, 16):
        raise ValueError(f"xcit has patches of 8 or 16 pixels, not {patch_size}")
    return XCiT(
        image_size // patch_size,
        patch_size,
        embed_dim,
        depth,
        num_heads,
        mlp_ratio,
        num_classes,
        in_channels,
        qkv_bias,
        norm_eps,
        exact_gelu,
        layer_scale,
        dropout,
        drop_path,
    )
