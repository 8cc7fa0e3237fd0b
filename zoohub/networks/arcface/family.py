"""ArcFace: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

# Files saved from the training graph carry `network.` and the margin's weights, which no feature
# needs.
_MODELS = Layout(rules=((r"^network\.(.+)$", r"\1"),), drop=(r"(?:margin|head)\b.*weight",))

FAMILY = Family(
    name="arcface",
    task="object-detection",
    builder="arcface",
    arguments={"depth": int, "in_channels": int, "image_size": int},
    layouts={"models": _MODELS},
    stem="conv1",
    raw=("features",),
)
