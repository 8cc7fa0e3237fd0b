"""PVT v2: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="pvt_v2",
    task="image-classification",
    builder="pvt_v2",
    arguments={
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
    stem="patch_embed_list.0.proj",
)
