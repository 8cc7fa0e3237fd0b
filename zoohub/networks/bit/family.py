"""BiT: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

FAMILY = Family(
    name="bit",
    task="image-classification",
    builder="bit",
    arguments={"depth": int, "width": int, "num_classes": int, "in_channels": int, **FEATURES},
    layouts={"mindcv": Layout()},
    head="classifier",
    stem="conv1",
)
