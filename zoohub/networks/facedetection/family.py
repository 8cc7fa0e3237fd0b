"""FaceDetection: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="facedetection",
    task="object-detection",
    builder="facedetection",
    arguments={"in_channels": int, "decode": bool},
    # Files saved from the training graph carry `network.`.
    layouts={"models": Layout(rules=((r"^network\.(.+)$", r"\1"),))},
    stem="layer0.layers.0.conv",
    raw=("boxes_0", "scores_0", "boxes_1", "scores_1", "boxes_2", "scores_2"),
    outputs="outputs:faces",
)
