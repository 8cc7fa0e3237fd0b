"""PSENet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Arguments, Family


def _stem(arguments: Arguments) -> str:
    mobile = arguments.get("backbone") == "mobilenet_v3"
    return "backbone.features.0" if mobile else "backbone.conv1"


_MODELS = Layout(
    rules=(
        (r"^feature_extractor\.(.+)\.conv_down_sample\.(.+)$", r"backbone.\1.down_sample.0.\2"),
        (r"^feature_extractor\.(.+)\.bn_down_sample\.(.+)$", r"backbone.\1.down_sample.1.\2"),
        (r"^feature_extractor\.(.+)$", r"backbone.\1"),
        (r"^feature_fusion\.(.+)$", r"neck.\1"),
        (r"^((?:conv|bn)\d\.\w+)$", r"head.\1"),
    )
)
FAMILY = Family(
    name="psenet",
    task="scene-text-detection",
    builder="psenet",
    arguments={"backbone": str, "kernels": int, "in_channels": int, "zoo": bool},
    layouts={"mindocr": Layout(), "models": _MODELS},
    stem=_stem,
    raw=("maps_*",),
    outputs="zoohub.outputs.text_areas:text_kernels",
)
