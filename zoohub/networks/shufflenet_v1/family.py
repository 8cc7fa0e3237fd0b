"""ShuffleNetV1: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family

FAMILY = Family(
    name="shufflenet_v1",
    task="image-classification",
    builder="shufflenet_v1",
    arguments={
        "width": NUMBER,
        "groups": int,
        "num_classes": int,
        "in_channels": int,
        "split_groups": bool,
        "classifier_bias": bool,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": Layout()},
    head="classifier",
    stem="first_conv.0",
)
