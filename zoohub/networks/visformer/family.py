"""Visformer: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="visformer",
    task="image-classification",
    builder="visformer",
    arguments={
        "image_size": int,
        "stem_channels": int,
        "embed_dim": int,
        "depths": SEQUENCE,
        "num_heads": SEQUENCE,
        "mlp_ratio": NUMBER,
        "attention_stages": SEQUENCE,
        "spatial_stages": SEQUENCE,
        "scale_power": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="head",
    stem="stem.0",
    position_tables=(PositionTable(r"pos_embed\d", "map"),),
)
