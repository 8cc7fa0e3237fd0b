"""The wide residual network of AutoAugment: arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="autoaugment",
    task="image-classification",
    builder="autoaugment",
    arguments={"width": int, "num_classes": int, "in_channels": int},
    layouts={"models": Layout()},
    head="fc",
    stem="conv1",
)
