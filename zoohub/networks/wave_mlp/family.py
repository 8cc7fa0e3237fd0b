"""Wave-MLP: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="wave_mlp",
    task="image-classification",
    builder="wave_mlp",
    arguments={
        "depths": SEQUENCE,
        "embed_dims": SEQUENCE,
        "mlp_ratios": SEQUENCE,
        "batch_norm": bool,
        "downsample_norm": bool,
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
