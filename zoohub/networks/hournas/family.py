"""HourNAS: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Family

# research/cv/HourNAS, where each block is a stage of its own.
_MODELS = Layout(rules=((r"^blocks\.layer\.(\d+)\.0\.(.+)$", r"blocks.\1.\2"),))

FAMILY = Family(
    name="hournas",
    task="image-classification",
    builder="hournas",
    arguments={"num_classes": int, "in_channels": int, "dropout": NUMBER, "drop_path": NUMBER},
    layouts={"models": _MODELS},
    head="classifier",
    stem="conv_stem",
)
