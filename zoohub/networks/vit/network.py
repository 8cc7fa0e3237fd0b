"""Vision transformer of every size.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021). Parameter names are those of
mindcv, which are timm's.
"""

from __future__ import annotations

from typing import Literal

from mindspore import Parameter, Tensor, nn
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import drop_path_rates
from zoohub.networks.layers.patch_embed import PatchEmbed, prepend
from zoohub.networks.layers.vit_block import ViTBlock

Pool = Literal["token", "avg"]


class VisionTransformer(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Arguments are those of `vit`.
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        mlp_ratio: float,
        num_classes: int,
        in_channels: int,
        global_pool: Pool,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        places = (image_size // patch_size) ** 2
        init = TruncatedNormal(0.02)
        self.cls_token = Parameter(initializer(init, (1, 1, embed_dim)))
        self.pos_embed = Parameter(initializer(init, (1, places + 1, embed_dim)))
        self.patch_embed = PatchEmbed(in_channels, embed_dim, patch_size)
        self.pos_drop = nn.Dropout(p=dropout)
        self.blocks = nn.CellList(
            [
                ViTBlock(embed_dim, num_heads, mlp_ratio, norm_eps, exact_gelu, True, dropout, rate)
                for rate in drop_path_rates(drop_path, depth)
            ]
        )
        self.averages = global_pool == "avg"
        # The mean of the places is normalised; the class token was, with all the others.
        if self.averages:
            self.fc_norm = layer_norm(embed_dim, norm_eps)
        else:
            self.norm = layer_norm(embed_dim, norm_eps)
        self.head_drop = nn.Dropout(p=dropout)
        self.head = dense(embed_dim, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        tokens = prepend(self.cls_token, self.patch_embed(x)) + self.pos_embed
        tokens = self.pos_drop(tokens)
        for block in self.blocks:
            tokens = block(tokens)
        if self.averages:
            pooled = self.fc_norm(tokens[:, 1:].mean(1))
        else:
            pooled = self.norm(tokens)[:, 0]
        return self.head(self.head_drop(pooled))


def vit(
    image_size: int = 224,
    patch_size: int = 16,
    embed_dim: int = 768,
    depth: int = 12,
    num_heads: int = 12,
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    global_pool: Pool = "token",
    norm_eps: float = 1e-7,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.0,
) -> VisionTransformer:
    """ViT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        patch_size: side of a patch in pixels: 16, 32 or 14.
        embed_dim: channels of a token: 768 (base), 1024 (large), 1280 (huge).
        depth: blocks: 12, 24, 32.
        num_heads: heads of each attention: 12, 16, 16.
        mlp_ratio: hidden channels of each MLP, in multiples of `embed_dim`.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        global_pool: what the classifier sees: "token", the class token, or "avg", the mean of
            the others.
        norm_eps: epsilon of the layer norms: 1e-7 (mindcv), 1e-6 (timm and MAE).
        exact_gelu: GELU by the error function (timm) in place of mindcv's tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.

    Raises:
        ValueError: an unknown way of pooling, or a size that patches do not divide.
    """
    if global_pool not in ("token", "avg"):
        raise ValueError(f'global_pool is "token" or "avg", not {global_pool!r}')
    if image_size % patch_size:
        raise ValueError(f"patches of {patch_size} pixels do not divide a picture of {image_size}")
    return VisionTransformer(
        image_size,
        patch_size,
        embed_dim,
        depth,
        num_heads,
        mlp_ratio,
        num_classes,
        in_channels,
        global_pool,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
    )
