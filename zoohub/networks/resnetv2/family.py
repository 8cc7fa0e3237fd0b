"""ResNetV2: names and arguments."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family

# research/cv/resnetv2, with `small`.
_MODELS = Layout(
    rules=(
        (r"^(.+)\.shortcut\.0\.weight$", r"\1.down_sample.0.weight"),
        (r"^linear\.(\w+)$", r"classifier.\1"),
    )
)


def _stem(arguments: Mapping[str, object]) -> str:
    return "conv1 conv2" if arguments.get("small") else "conv1"


FAMILY = Family(
    name="resnetv2",
    task="image-classification",
    builder="resnetv2",
    arguments={
        "depth": int,
        "num_classes": int,
        "in_channels": int,
        "small": bool,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS},
    head="classifier",
    stem=_stem,
)
