"""MobileNetV1: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family


def _models() -> Layout:
    """The models repository counts convolutions where mindcv counts pairs of them."""
    rules = [(r"^network\.0\.([01])\.(\w+)$", r"features.\1.\2")]
    for conv in range(1, 27):
        block = (conv + 1) // 2 + 2
        for place in (0, 1):
            own = place if conv % 2 else place + 3
            rules.append((rf"^network\.{conv}\.{place}\.(\w+)$", rf"features.{block}.{own}.\1"))
    return Layout(rules=(*rules, (r"^fc\.(\w+)$", r"classifier.\1")))


FAMILY = Family(
    name="mobilenet_v1",
    task="image-classification",
    builder="mobilenet_v1",
    arguments={
        "width": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "conv_padding": str,
        "activation": str,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _models()},
    head="classifier",
    stem="features.0",
)
