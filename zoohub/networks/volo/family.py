"""VOLO: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="volo",
    task="image-classification",
    builder="volo",
    arguments={
        "image_size": int,
        "patch_size": int,
        "stem_channels": int,
        "embed_dims": SEQUENCE,
        "depths": SEQUENCE,
        "num_heads": SEQUENCE,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "qkv_bias": bool,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="head aux_head",
    stem="patch_embed.conv.0",
    position_tables=(PositionTable("pos_embed", "channels_last"),),
)
