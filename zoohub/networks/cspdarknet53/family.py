"""CSPDarknet-53: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="cspdarknet53",
    task="object-detection",
    builder="cspdarknet53",
    arguments={"num_classes": int, "in_channels": int, "base_channels": int},
    # Files saved from the training graph carry `network.`.
    layouts={"models": Layout(rules=((r"^network\.(.+)$", r"\1"),))},
    head="head.fc",
    stem="backbone.conv0.0",
)
