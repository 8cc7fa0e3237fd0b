"""Single-Path NAS: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family

# research/cv/single_path_nas: its list of stages has lost the prefix of its name.
_MODELS = Layout(rules=((r"^(?:feature\.)?(\d\..+)$", r"features.\1"),))

FAMILY = Family(
    name="single_path_nas",
    task="image-classification",
    builder="single_path_nas",
    arguments={"num_classes": int, "in_channels": int, "bn_eps": NUMBER, **FEATURES},
    layouts={"models": _MODELS},
    head="output",
    stem="features.0.conv1.conv",
)
