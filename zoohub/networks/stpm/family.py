"""STPM: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="stpm",
    task="defect-detection",
    builder="stpm",
    arguments={"num_classes": int, "in_channels": int},
    layouts={
        "models": Layout(
            rules=(
                (r"^(.+)\.down_sample_layer\.(.+)$", r"\1.down_sample.\2"),
                (r"^model_([st])\.fc\.(\w+)$", r"model_\1.classifier.\2"),
            )
        )
    },
    head="model_t.classifier model_s.classifier",
    stem="model_t.conv1 model_s.conv1",
)
