"""GENet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

FAMILY = Family(
    name="genet",
    task="image-classification",
    builder="genet",
    arguments={
        "depth": int,
        "gather": str,
        "mix": bool,
        "num_classes": int,
        "in_channels": int,
        "image_size": int,
        **FEATURES,
    },
    layouts={"models": Layout()},
    head="end_point",
    stem="conv1",
)
