"""Masked autoencoder: the fine-tuned classifier, a vision transformer, and what is pretrained.

Source: He et al., "Masked Autoencoders Are Scalable Vision Learners" (2022). Parameter names are
those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from zoohub.networks.mae.pretraining import MaskedAutoencoder
from zoohub.networks.vit.network import VisionTransformer


def mae(
    image_size: int = 224,
    patch_size: int = 16,
    embed_dim: int = 768,
    depth: int = 12,
    num_heads: int = 12,
    mlp_ratio: float = 4.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    norm_eps: float = 1e-6,
    exact_gelu: bool | None = None,
    dropout: float = 0.0,
    drop_path: float = 0.0,
    pretraining: bool = False,
    decoder: Sequence[int] = (512, 8, 16),
) -> VisionTransformer | MaskedAutoencoder:
    """MAE: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        image_size: side of the picture in pixels; the position embedding is made for it.
        patch_size: side of a patch in pixels: 16 or 14.
        embed_dim: channels of a token: 768 (base), 1024 (large), 1280 (huge).
        depth: blocks: 12, 24, 32.
        num_heads: heads of each attention: 12, 16, 16.
        mlp_ratio: hidden channels of each MLP, in multiples of the token's.
        num_classes: outputs of the classifier, which sees the mean of the patches' tokens.
        in_channels: channels of the picture.
        norm_eps: epsilon of the layer norms.
        exact_gelu: GELU by the error function; None: in pretraining only, as mindcv has it.
        dropout: share of values set to zero in training.
        drop_path: share of samples whose last block is skipped in training.
        pretraining: the autoencoder, which takes a mask too and gives the loss.
        decoder: its decoder's channels, blocks and heads.

    Raises:
        ValueError: a size that patches do not divide, or a decoder of other than three numbers.
    """
    if image_size % patch_size:
        raise ValueError(f"patches of {patch_size} pixels do not divide a picture of {image_size}")
    exact = pretraining if exact_gelu is None else exact_gelu
    sizes = (image_size, patch_size, embed_dim, depth, num_heads, mlp_ratio)
    if not pretraining:
        return VisionTransformer(
            *sizes, num_classes, in_channels, "avg", norm_eps, exact, dropout, drop_path
        )
    if len(decoder) != 3:
        raise ValueError(f"decoder={tuple(decoder)} should be channels, blocks and heads")
    width, blocks, heads = decoder
    return MaskedAutoencoder(
        *sizes, in_channels, norm_eps, exact, dropout, drop_path, (width, blocks, heads)
    )
