"""ReNAS: arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="renas",
    task="image-classification",
    builder="renas",
    arguments={"num_classes": int, "in_channels": int},
    layouts={"models": Layout()},
    head="linear",
    stem="conv1",
)
