"""MobileViT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family

FAMILY = Family(
    name="mobilevit",
    task="image-classification",
    builder="mobilevit",
    arguments={
        "dims": SEQUENCE,
        "transformer_dims": SEQUENCE,
        "expansion": int,
        "num_heads": int,
        "num_classes": int,
        "in_channels": int,
        "norm_eps": NUMBER,
        "dropout": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="classifier.3",
    stem="conv_1.features.0",
)
