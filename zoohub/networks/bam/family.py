"""ResNet with BAM: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

FAMILY = Family(
    name="bam",
    task="image-classification",
    builder="bam",
    arguments={"depth": int, "num_classes": int, "in_channels": int, **FEATURES},
    layouts={
        "models": Layout(
            rules=((r"^(.+)\.(?:downsample|down_sample_layer)\.(.+)$", r"\1.down_sample.\2"),)
        )
    },
    head="fc",
    stem="conv1",
)
