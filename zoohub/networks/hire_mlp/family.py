"""Hire-MLP: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="hire_mlp",
    task="image-classification",
    builder="hire_mlp",
    arguments={
        "depths": SEQUENCE,
        "embed_dims": SEQUENCE,
        "mlp_ratios": SEQUENCE,
        "regions": SEQUENCE,
        "step_strides": SEQUENCE,
        "step_dilations": SEQUENCE,
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
