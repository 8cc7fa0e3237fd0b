"""SKNet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

FAMILY = Family(
    name="sknet",
    task="image-classification",
    builder="sknet",
    arguments={
        "depth": int,
        "reduction": int,
        "divisor": int,
        "split_input": bool,
        "num_classes": int,
        "in_channels": int,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="classifier",
    stem="conv1",
)
