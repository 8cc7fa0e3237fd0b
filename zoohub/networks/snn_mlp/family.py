"""SNN-MLP: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="snn_mlp",
    task="image-classification",
    builder="snn_mlp",
    arguments={
        "embed_dim": int,
        "depths": SEQUENCE,
        "mlp_ratio": NUMBER,
        "steps": int,
        "num_classes": int,
        "in_channels": int,
        "exact_gelu": bool,
        "dropout": NUMBER,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={"models": Layout()},
    head="head",
    stem="patch_embed.proj",
)
