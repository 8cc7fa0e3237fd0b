"""A family for tests: two naming schemes, a head and a stem."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

FAMILY = Family(
    name="tiny",
    task="image-classification",
    builder="TinyNet",
    arguments={"num_classes": int, "in_channels": int, "features_only": bool},
    layouts={"old": Layout(rules=((r"classifier\.(.+)", r"fc.\1"), (r"stem\.(.+)", r"conv.\1")))},
    head="fc",
    stem="conv",
)
