"""ManiDP: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import SEQUENCE, Family

# The publisher files it under text recognition; its network tells the ten classes of CIFAR-10.
FAMILY = Family(
    name="manidp",
    task="image-classification",
    builder="manidp",
    arguments={"depth": int, "num_classes": int, "thresholds": SEQUENCE, "in_channels": int},
    layouts={"models": Layout()},
    head="classifier",
    stem="conv_1_3x3",
)
