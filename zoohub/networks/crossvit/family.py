"""CrossViT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.position_table import PositionTable
from zoohub.networks.family import NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="crossvit",
    task="image-classification",
    builder="crossvit",
    arguments={
        "branch_sizes": SEQUENCE,
        "patch_sizes": SEQUENCE,
        "embed_dims": SEQUENCE,
        "depths": SEQUENCE,
        "num_heads": SEQUENCE,
        "mlp_ratios": SEQUENCE,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
    },
    layouts={"mindcv": Layout()},
    head="head",
    stem="patch_embed.0.proj patch_embed.1.proj",
    position_tables=(PositionTable(r"pos_embed\.\d", "tokens", prefix_tokens=1),),
)
