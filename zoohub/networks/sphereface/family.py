"""SphereFace: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import SEQUENCE, Family

FAMILY = Family(
    name="sphereface",
    task="object-detection",
    builder="sphereface",
    arguments={"num_classes": int, "in_channels": int, "image_size": SEQUENCE},
    # Files saved from the training graph carry `network.`.
    layouts={"models": Layout(rules=((r"^network\.(.+)$", r"\1"),))},
    head="fc6",
    stem="conv1_1",
    raw=("features",),
)
