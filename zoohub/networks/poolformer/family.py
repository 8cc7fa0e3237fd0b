"""PoolFormer: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="poolformer",
    task="image-classification",
    builder="poolformer",
    arguments={
        "depths": SEQUENCE,
        "embed_dims": SEQUENCE,
        "mlp_ratios": SEQUENCE,
        "pool_size": int,
        "num_classes": int,
        "in_channels": int,
        "layer_scale": NUMBER,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="head",
    stem="patch_embed.proj",
)
