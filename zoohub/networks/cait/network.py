"""CaiT of every size.

Source: Touvron et al., "Going deeper with Image Transformers" (2021). Parameter names are those
of mindcv, which are timm's.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.attention import (
    SeparateAttention,
    merge_heads,
    scores,
    split_heads,
    weighted_sum,
)
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.mlp import Mlp
from zoohub.networks.layers.patch_embed import PatchEmbed, prepend
from zoohub.networks.layers.vit_block import ViTBlock

_TOKEN_BLOCKS = 2


class TalkingHeads(nn.Cell):
    """Self-attention whose heads are mixed before and after the softmax.

    (B, N, C) -> the same shape.
    """

    def __init__(
        self, channels: int, num_heads: int, qkv_bias: bool, proj_bias: bool, dropout: float
    ) -> None:
        super().__init__()
        self.num_heads, self.channels = num_heads, channels
        self.scale = (channels // num_heads) ** -0.5
        self.qkv = dense(channels, 3 * channels, qkv_bias)
        self.proj = dense(channels, channels, proj_bias)
        self.proj_l = dense(num_heads, num_heads, proj_bias)
        self.proj_w = dense(num_heads, num_heads, proj_bias)
        self.proj_drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        q, k, v = ops.split(self.qkv(x), self.channels, -1)
        q, k = split_heads(q, self.num_heads), split_heads(k, self.num_heads)
        attention = ops.transpose(scores(q * self.scale, k), (0, 2, 3, 1))
        # The softmax is over the keys, which are the last but one axis here.
        attention = self.proj_w(ops.softmax(self.proj_l(attention), 2))
        attention = ops.transpose(attention, (0, 3, 1, 2))
        out = merge_heads(weighted_sum(attention, split_heads(v, self.num_heads)))
        return self.proj_drop(self.proj(out))


class ClassBlock(nn.Cell):
    """The class token looks at the picture: (B, N, C) and (B, 1, C) -> the token (B, 1, C)."""

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        norm_eps: float,
        exact_gelu: bool,
        qkv_bias: bool,
        layer_scale: float,
    ) -> None:
        super().__init__()
        self.gamma_1 = Parameter(initializer(layer_scale, (channels,)))
        self.gamma_2 = Parameter(initializer(layer_scale, (channels,)))
        self.norm1 = layer_norm(channels, norm_eps)
        self.attn = SeparateAttention(channels, num_heads, qkv_bias, first_asks=True)
        self.norm2 = layer_norm(channels, norm_eps)
        self.mlp = Mlp(channels, int(channels * mlp_ratio), exact_gelu=exact_gelu)

    def construct(self, x: Tensor, token: Tensor) -> Tensor:
        together = self.norm1(ops.concat((token, x), 1))
        token = token + self.gamma_1 * self.attn(together)
        return token + self.gamma_2 * self.mlp(self.norm2(token))


class CaiT(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits (B, num_classes)."""

    def __init__(
        self,
        places: int,
        patch_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        num_classes: int,
        in_channels: int,
        qkv_bias: bool,
        proj_bias: bool,
        norm_eps: float,
        exact_gelu: bool,
        layer_scale: float,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        init = TruncatedNormal(0.02)
        self.cls_token = Parameter(initializer(init, (1, 1, embed_dim)))
        self.pos_embed = Parameter(initializer(init, (1, places, embed_dim)))
        self.patch_embed = PatchEmbed(in_channels, embed_dim, patch_size)
        self.pos_drop = nn.Dropout(p=dropout)
        sizes = (embed_dim, num_heads, mlp_ratio, norm_eps, exact_gelu)
        heads = (embed_dim, num_heads, qkv_bias, proj_bias, dropout)
        self.blocks = nn.CellList(
            [
                ViTBlock(
                    *sizes,
                    dropout=dropout,
                    drop_path=drop_path,
                    attention=TalkingHeads(*heads),
                    layer_scale=layer_scale,
                )
                for _ in range(depth)
            ]
        )
        self.blocks_token_only = nn.CellList(
            [ClassBlock(*sizes, qkv_bias, layer_scale) for _ in range(_TOKEN_BLOCKS)]
        )
        self.norm = layer_norm(embed_dim, norm_eps)
        self.head = dense(embed_dim, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = self.pos_drop(self.patch_embed(x) + self.pos_embed)
        token = prepend(self.cls_token, x)[:, :1]
        for block in self.blocks:
            x = block(x)
        for block in self.blocks_token_only:
            token = block(x, token)
        return self.head(self.norm(token)[:, 0])


def cait(
    image_size: int = 224,
    patch_size: int = 16,
    embed_dim: int = 384,
    depth: int = 24,
    num_heads: int = 8,
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    qkv_bias: bool = False,
    proj_bias: bool = False,
    norm_eps: float = 1e-6,
    exact_gelu: bool = False,
    layer_scale: float = 1e-5,
    dropout: float = 0.0,
    drop_path: float = 0.0,
) -> CaiT:
    """CaiT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        patch_size: side of a patch in pixels.
        embed_dim: channels of a token: 192 (xxs), 288 (xs), 384 (s), 768 (m).
        depth: blocks that the class token does not take part in: 24, 36 or 48.
        num_heads: heads of each attention.
        mlp_ratio: hidden channels of each MLP, in multiples of its input's.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        qkv_bias: biases of the dense layers that make query, key and value.
        proj_bias: biases of the other dense layers of the talking heads.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function in place of mindcv's tanh.
        layer_scale: what the factors of the residual branches start at.
        dropout: share of values set to zero in training.
        drop_path: share of samples for which each block is skipped in training.
    """
    return CaiT(
        (image_size // patch_size) ** 2,
        patch_size,
        embed_dim,
        depth,
        num_heads,
        mlp_ratio,
        num_classes,
        in_channels,
        qkv_bias,
        proj_bias,
        norm_eps,
        exact_gelu,
        layer_scale,
        dropout,
        drop_path,
    )
