"""Tiny DarkNet: arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

FAMILY = Family(
    name="tinydarknet",
    task="image-classification",
    builder="tinydarknet",
    arguments={"num_classes": int, "in_channels": int, **FEATURES},
    layouts={"models": Layout()},
    head="conv16",
    stem="conv1.conv",
)
