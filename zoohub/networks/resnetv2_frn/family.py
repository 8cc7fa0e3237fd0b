"""ResNetV2 with FRN: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

FAMILY = Family(
    name="resnetv2_frn",
    task="image-classification",
    builder="resnetv2_frn",
    arguments={"depth": int, "num_classes": int, "in_channels": int, **FEATURES},
    layouts={"models": Layout()},
    head="fc",
    stem="conv1",
)
