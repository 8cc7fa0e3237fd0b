"""Vision transformer with query, key and value in dense layers of their own.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021). The models repository published
it twice, from two codes: official/cv/vit and research/cv/vit_base. Names are those of `vit`, but
for `attn.q`, `attn.k` and `attn.v`; the layouts turn the two publishers' into them.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer

from zoohub.networks.layers.attention import SeparateAttention
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.mlp import Mlp
from zoohub.networks.layers.patch_embed import PatchEmbed, prepend


class DensePatchEmbed(nn.Cell):
    """Patches' values (channel, row, column) through a dense layer: (B, C, H, W) -> tokens."""

    def __init__(self, in_channels: int, channels: int, patch_size: int) -> None:
        super().__init__()
        self.size = patch_size
        self.proj = dense(in_channels * patch_size * patch_size, channels)

    def construct(self, x: Tensor) -> Tensor:
        _, channels, height, width = x.shape
        rows, columns, size = height // self.size, width // self.size, self.size
        x = ops.reshape(x, (-1, channels, rows, size, columns, size))
        x = ops.transpose(x, (0, 2, 4, 1, 3, 5))
        return self.proj(ops.reshape(x, (-1, rows * columns, channels * size * size)))


class Block(nn.Cell):
    """Attention, then an MLP, each after a layer norm and added: (B, N, C) -> the same shape.

    `norms_first` is the order of the parameters only.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        norms_first: bool,
        drop_path: float,
    ) -> None:
        super().__init__()
        attention = SeparateAttention(channels, num_heads, dropout=dropout)
        mlp = Mlp(channels, int(channels * mlp_ratio), None, dropout, exact_gelu)
        self.norm1 = layer_norm(channels, norm_eps)
        if norms_first:
            self.norm2 = layer_norm(channels, norm_eps)
            self.mlp = mlp
            self.attn = attention
        else:
            self.attn = attention
            self.norm2 = layer_norm(channels, norm_eps)
            self.mlp = mlp
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class SplitVisionTransformer(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Arguments are those of `vit_split`.
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
        dense_patches: bool,
        norms_first: bool,
        norm_eps: float,
        exact_gelu: bool,
        dropout: float,
        drop_path: float,
    ) -> None:
        super().__init__()
        init, places = TruncatedNormal(0.02), (image_size // patch_size) ** 2
        token = Parameter(initializer(init, (1, 1, embed_dim)))
        positions = Parameter(initializer(init, (1, places + 1, embed_dim)))
        if norms_first:
            self.pos_embed = positions
            self.cls_token = token
        else:
            self.cls_token = token
            self.pos_embed = positions
        embed = DensePatchEmbed if dense_patches else PatchEmbed
        self.patch_embed = embed(in_channels, embed_dim, patch_size)
        self.pos_drop = nn.Dropout(p=dropout)
        options = (embed_dim, num_heads, mlp_ratio, norm_eps, exact_gelu, dropout, norms_first)
        self.blocks = nn.CellList(
            [Block(*options, rate) for rate in drop_path_rates(drop_path, depth)]
        )
        norm, head = layer_norm(embed_dim, norm_eps), dense(embed_dim, num_classes)
        if norms_first:
            self.norm = norm
            self.head = head
        else:
            self.head = head
            self.norm = norm

    def construct(self, x: Tensor) -> Tensor:
        tokens = prepend(self.cls_token, self.patch_embed(x)) + self.pos_embed
        tokens = self.pos_drop(tokens)
        for block in self.blocks:
            tokens = block(tokens)
        return self.head(self.norm(tokens)[:, 0])


def vit_split(
    image_size: int = 224,
    patch_size: int = 16,
    embed_dim: int = 768,
    depth: int = 12,
    num_heads: int = 12,
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    dense_patches: bool = False,
    norms_first: bool = False,
    norm_eps: float = 1e-7,
    exact_gelu: bool = False,
    dropout: float = 0.0,
    drop_path: float = 0.0,
) -> SplitVisionTransformer:
    """ViT: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        patch_size: side of a patch in pixels.
        embed_dim: channels of a token.
        depth: blocks.
        num_heads: heads of each attention.
        mlp_ratio: hidden channels of each MLP, in multiples of `embed_dim`.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dense_patches: patches go through a dense layer (official/cv/vit), not a convolution.
        norms_first: the order of parameters in research/cv/vit_base; the computation is the same.
        norm_eps: epsilon of the layer norms: 1e-7 (official) or 1e-6 (research).
        exact_gelu: GELU by the error function in place of tanh.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.

    Raises:
        ValueError: a size that patches do not divide.
    """
    if image_size % patch_size:
        raise ValueError(f"patches of {patch_size} pixels do not divide a picture of {image_size}")
    return SplitVisionTransformer(
        image_size,
        patch_size,
        embed_dim,
        depth,
        num_heads,
        mlp_ratio,
        num_classes,
        in_channels,
        dense_patches,
        norms_first,
        norm_eps,
        exact_gelu,
        dropout,
        drop_path,
    )
