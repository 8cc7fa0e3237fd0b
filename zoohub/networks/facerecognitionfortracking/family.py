"""FaceRecognitionForTracking: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import SEQUENCE, Family

FAMILY = Family(
    name="facerecognitionfortracking",
    task="object-detection",
    builder="facerecognitionfortracking",
    arguments={"depth": int, "in_channels": int, "image_size": SEQUENCE, "ascend": bool},
    # Files saved from the training graph carry `model.`, and the margin's weights under `head.`.
    layouts={"models": Layout(rules=((r"^model\.(.+)$", r"\1"),), drop=(r"head\..*",))},
    stem="layer1.conv",
    raw=("features",),
)
