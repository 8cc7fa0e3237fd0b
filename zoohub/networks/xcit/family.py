"""XCiT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="xcit",
    task="image-classification",
    builder="xcit",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dim": int,
        "depth": int,
        "num_heads": int,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "qkv_bias": bool,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "layer_scale": NUMBER,
        "dropout": NUMBER,
        "drop_path": NUMBER,
    },
    layouts={"mindcv": Layout()},
    head="head",
    stem="patch_embed.proj.0.0",
)
