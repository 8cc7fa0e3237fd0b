"""HarDNet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family

# research/cv/hardnet.
_MODELS = Layout(
    rules=(
        (
            r"^net\.layers\.(\d+)\.layer_list\.(\d+)\.ConvLayer_Conv\.(\w+)$",
            r"layers.\1.\2.conv.\3",
        ),
        (r"^net\.layers\.(\d+)\.layer_list\.(\d+)\.ConvLayer_BN\.(\w+)$", r"layers.\1.\2.norm.\3"),
        (r"^net\.layers\.(\d+)\.ConvLayer_Conv\.(\w+)$", r"layers.\1.conv.\2"),
        (r"^net\.layers\.(\d+)\.ConvLayer_BN\.(\w+)$", r"layers.\1.norm.\2"),
        (r"^head\.dense\.(\w+)$", r"classifier.\1"),
    )
)

FAMILY = Family(
    name="hardnet",
    task="image-classification",
    builder="hardnet",
    arguments={
        "depth": int,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        **FEATURES,
    },
    layouts={"models": _MODELS},
    head="classifier",
    stem="layers.0.conv",
)
