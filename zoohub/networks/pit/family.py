"""PiT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="pit",
    task="image-classification",
    builder="pit",
    arguments={
        "image_size": int,
        "patch_size": int,
        "stride": int,
        "base_dims": SEQUENCE,
        "depths": SEQUENCE,
        "num_heads": SEQUENCE,
        "mlp_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="head",
    stem="patch_embed.conv",
    position_tables=(PositionTable("pos_embed", "map"),),
)
