"""CoaT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="coat",
    task="image-classification",
    builder="coat",
    arguments={
        "image_size": int,
        "patch_size": int,
        "embed_dims": SEQUENCE,
        "serial_depths": SEQUENCE,
        "parallel_depth": int,
        "mlp_ratios": SEQUENCE,
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
)
