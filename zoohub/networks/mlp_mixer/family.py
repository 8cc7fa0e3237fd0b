"""MLP-Mixer: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="mlp_mixer",
    task="image-classification",
    builder="mlp_mixer",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dim": int,
        "depth": int,
        "token_dim": int,
        "channel_dim": int,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
    },
    layouts={"mindcv": Layout()},
    head="mlp_head",
    stem="to_patch_embedding.0",
)
