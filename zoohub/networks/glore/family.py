"""ResNet with global reasoning: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family


def _head(arguments: Mapping[str, object]) -> str:
    return "end_point" if arguments.get("depth", 50) == 50 else "classifier"


def _stem(arguments: Mapping[str, object]) -> str:
    return "conv1.conv_1" if arguments.get("depth", 50) == 50 else "layer1.conv"


FAMILY = Family(
    name="glore",
    task="image-classification",
    builder="glore",
    arguments={"depth": int, "num_classes": int, "in_channels": int},
    layouts={"models": Layout()},
    head=_head,
    stem=_stem,
)
