"""PVT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="pvt",
    task="image-classification",
    builder="pvt",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dims": SEQUENCE,
        "depths": SEQUENCE,
        "num_heads": SEQUENCE,
        "mlp_ratios": SEQUENCE,
        "sr_ratios": SEQUENCE,
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
    stem="patch_embed1.proj",
    position_tables=(
        PositionTable("pos_embed[123]", "tokens"),
        PositionTable("pos_embed4", "tokens", prefix_tokens=1),
    ),
)
