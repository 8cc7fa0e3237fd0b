"""DeepID: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="deepid",
    task="object-detection",
    builder="deepid",
    arguments={"num_classes": int, "in_channels": int},
    # Files saved from the training graph carry `network.`.
    layouts={"models": Layout(rules=((r"^network\.(.+)$", r"\1"),))},
    head="class_layer",
    stem="block1.0",
)
