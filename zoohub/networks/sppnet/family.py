"""SPPNet and ZFNet: arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="sppnet",
    task="image-classification",
    builder="sppnet",
    arguments={
        "pyramid": bool,
        "image_size": int,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
    },
    layouts={"models": Layout()},
    head="fc3",
    stem="conv1",
)
