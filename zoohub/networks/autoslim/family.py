"""AutoSlim: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

# research/cv/AutoSlim.
_MODELS = Layout(rules=((r"^(features\..+)\.bn\.(\w+)$", r"\1.\2"),))

FAMILY = Family(
    name="autoslim",
    task="neural-architecture-search",
    builder="autoslim",
    arguments={"num_classes": int, "in_channels": int, **FEATURES},
    layouts={"models": _MODELS},
    head="classifier",
    stem="features.0.0",
)
