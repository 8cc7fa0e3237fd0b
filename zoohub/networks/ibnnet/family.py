"""IBN-Net: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

FAMILY = Family(
    name="ibnnet",
    task="image-classification",
    builder="ibnnet",
    arguments={"depth": int, "num_classes": int, "in_channels": int, **FEATURES},
    layouts={
        "models": Layout(rules=((r"^(.+)\.downsample\.(.+)$", r"\1.down_sample.\2"),)),
    },
    head="fc",
    stem="conv1",
)
