"""ResNeSt: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family

FAMILY = Family(
    name="resnest",
    task="image-classification",
    builder="resnest",
    arguments={
        "depth": int,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "split_groups": bool,
        "attention_bias": bool,
        "pool_padding": str,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="fc",
    stem="conv1.0",
)
