"""AdvancedEAST: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Family

_MODELS = Layout(
    rules=(
        (r"^(conv\d_\d)\.(weight|bias)$", r"\1.0.\2"),
        (r"^(conv\d_\d)\.gn\.(\w+)$", r"\1.1.\2"),
    )
)
FAMILY = Family(
    name="advanced_east",
    task="scene-text-detection",
    builder="advanced_east",
    arguments={"in_channels": int},
    layouts={"models": _MODELS},
    stem="conv1_1.0",
    raw=("points",),
    outputs="zoohub.outputs.text_areas:text_ends",
    multiple=32,
)
