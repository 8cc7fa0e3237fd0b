"""RepMLPNet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, SEQUENCE, Family

FAMILY = Family(
    name="repmlp",
    task="image-classification",
    builder="repmlp",
    arguments={
        "depths": SEQUENCE,
        "dims": SEQUENCE,
        "part_sizes": SEQUENCE,
        "share_sets": SEQUENCE,
        "kernel_sizes": SEQUENCE,
        "num_classes": int,
        "in_channels": int,
        "exact_gelu": bool,
        **FEATURES,
    },
    layouts={"mindcv": Layout()},
    head="head",
    stem="conv_embedding.conv.conv conv2d",
)
