"""EAST: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Arguments, Family

_MODELS = Layout(
    rules=(
        (r"^extractor\.(.+)$", r"backbone.\1"),
        (r"^merge\.(.+)$", r"neck.\1"),
        (r"^output\.(.+)$", r"head.\1"),
    )
)


def _stem(arguments: Arguments) -> str:
    if arguments.get("backbone") == "vgg16":
        return "backbone.conv1_1.0"
    mobile = arguments.get("backbone") == "mobilenet_v3"
    return "backbone.features.0" if mobile else "backbone.conv1"


FAMILY = Family(
    name="east",
    task="scene-text-detection",
    builder="east",
    arguments={"backbone": str, "in_channels": int},
    layouts={"mindocr": Layout(), "models": _MODELS},
    stem=_stem,
    raw=("scores", "boxes"),
    outputs="zoohub.outputs.text_areas:turned_boxes",
)
