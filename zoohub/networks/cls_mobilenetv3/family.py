"""MindOCR's angle classifier: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Family

FAMILY = Family(
    name="cls_mobilenetv3",
    task="text-direction-classification",
    builder="cls_mobilenetv3",
    arguments={
        "num_classes": int,
        "size": str,
        "width": NUMBER,
        "in_channels": int,
        "dropout": NUMBER,
    },
    layouts={"mindocr": Layout()},
    head="head.classifier.3",
    stem="backbone.features.0",
    raw=("probabilities",),
    outputs="outputs:probabilities",
)
