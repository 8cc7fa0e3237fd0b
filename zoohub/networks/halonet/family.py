"""HaloNet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, SEQUENCE, Family

FAMILY = Family(
    name="halonet",
    task="image-classification",
    builder="halonet",
    arguments={
        "depths": SEQUENCE,
        "dims": SEQUENCE,
        "attention_blocks": SEQUENCE,
        "num_heads": SEQUENCE,
        "block_size": int,
        "halo_size": int,
        "num_classes": int,
        "in_channels": int,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="classifier.1",
    stem="stem.conv1.conv",
)
