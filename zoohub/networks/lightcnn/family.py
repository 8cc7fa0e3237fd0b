"""LightCNN: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="lightcnn",
    task="object-detection",
    builder="lightcnn",
    arguments={"num_classes": int, "in_channels": int, "dropout": NUMBER, "image_size": int},
    # Files saved from the training graph carry `network.`.
    layouts={"models": Layout(rules=((r"^network\.(.+)$", r"\1"),))},
    head="fc2",
    stem="features.0.filter",
    raw=("logits", "features"),
)
