"""EdgeNeXt: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="edgenext",
    task="image-classification",
    builder="edgenext",
    arguments={
        "image_size": int,
        "depths": SEQUENCE,
        "dims": SEQUENCE,
        "num_heads": int,
        "kernel_sizes": SEQUENCE,
        "groups": SEQUENCE,
        "attention_blocks": SEQUENCE,
        "position_stages": SEQUENCE,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "exact_gelu": bool,
        "layer_scale": NUMBER,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="head",
    # The whole prefix `0.0` would take the first stage's blocks with it.
    stem=r"0.0.weight 0.0.bias",
)
