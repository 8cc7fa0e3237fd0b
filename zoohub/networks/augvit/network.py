"""AugViT: a vision transformer with augmented shortcuts.

Source: Tang et al., "Augmented Shortcuts for Vision Transformers" (2021). Parameter names are
those of the models repository (research/cv/augvit).
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import drop_path_rates
from zoohub.networks.layers.patch_embed import PatchEmbed, prepend
from zoohub.networks.layers.vit_block import ViTBlock


class AugmentedBlock(ViTBlock):
    """Beside attention and MLP a dense layer each: (B, N, C) -> the same shape."""

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        norm_eps: float,
        exact_gelu: bool,
        qkv_bias: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        options = (mlp_ratio, norm_eps, exact_gelu, qkv_bias, dropout, drop_path)
        super().__init__(channels, num_heads, *options)
        self.augs_attn = dense(channels, channels)
        self.augs = dense(channels, channels)

    def construct(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.drop_path(self.attn(y)) + self.augs_attn(y)
        y = self.norm2(x)
        return x + self.drop_path(self.mlp(y)) + self.augs(y)


class AugViT(nn.Cell):
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
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        init = TruncatedNormal(0.02)
        self.cls_token = Parameter(initializer(init, (1, 1, embed_dim)))
        self.pos_embed = Parameter(initializer(init, (1, places + 1, embed_dim)))
        self.patch_embed = PatchEmbed(in_channels, embed_dim, patch_size)
        self.pos_drop = nn.Dropout(p=dropout)
        options = (embed_dim, num_heads, mlp_ratio, norm_eps, exact_gelu, True, dropout)
        self.blocks = nn.CellList(
            [AugmentedBlock(*options, rate) for rate in drop_path_rates(drop_path, depth)]
        )
        self.norm = layer_norm(embed_dim, norm_eps)
        self.head = dense(embed_dim, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = self.pos_drop(prepend(self.cls_token, self.patch_embed(x)) + self.pos_embed)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


def augvit(
    image_size: int = 224,
    patch_size: int = 16,
    embed_dim: int = 384,
    depth: int = 12,
    num_heads: int = 6,
    mlp_ratio: float = 4.0,
    num_classes: int = 10,
    in_channels: int = 3,
    norm_eps: float = 1e-7,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.0,
) -> AugViT:
    """AugViT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        patch_size: side of a patch in pixels.
        embed_dim: channels of a token.
        depth: blocks.
        num_heads: heads of each attention.
        mlp_ratio: hidden channels of each MLP, in multiples of `embed_dim`.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function in place of tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block's main path is skipped in training.
    """
    return AugViT(
        (image_size // patch_size) ** 2,
        patch_size,
        embed_dim,
        depth,
        num_heads,
        mlp_ratio,
        num_classes,
        in_channels,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
    )
