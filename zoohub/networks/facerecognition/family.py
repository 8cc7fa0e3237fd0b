"""FaceRecognition: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="facerecognition",
    task="object-detection",
    builder="facerecognition",
    arguments={"depth": int, "in_channels": int, "image_size": int},
    # Files saved from the training graph carry `network.`.
    layouts={"models": Layout(rules=((r"^network\.(.+)$", r"\1"),))},
    stem="conv1",
    raw=("features",),
)
