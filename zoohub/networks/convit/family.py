"""ConViT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="convit",
    task="image-classification",
    builder="convit",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dim": int,
        "depth": int,
        "local_depth": int,
        "num_heads": int,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "qkv_bias": bool,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
    },
    layouts={"mindcv": Layout()},
    head="classifier",
    stem="patch_embed.proj",
    position_tables=(PositionTable("pos_embed", "tokens"),),
)
