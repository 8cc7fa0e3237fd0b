"""MixNet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family

FAMILY = Family(
    name="mixnet",
    task="image-classification",
    builder="mixnet",
    arguments={
        "size": str,
        "width": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="classifier",
    stem="stem_conv.0",
)
