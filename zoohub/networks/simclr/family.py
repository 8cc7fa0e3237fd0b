"""SimCLR: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="simclr",
    task="image-classification",
    builder="simclr",
    arguments={"projected": int, "in_channels": int},
    layouts={"models": Layout(rules=((r"^(.+)\.down_sample_layer\.(.+)$", r"\1.down_sample.\2"),))},
    stem="encoder.conv1",
)
