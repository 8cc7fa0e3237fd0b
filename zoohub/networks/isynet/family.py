"""ISyNet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family

# research/cv/ISyNet: files hold the network and the larger one it learned from.
_MODELS = Layout(
    rules=(
        (r"^backbone1\.all_cells\.(\d+)\.content_cell\.\d+_\d+_(\d)\.(.+)$", r"blocks.\1.\2.\3"),
        (r"^head1\._(\w+\.\w+)$", r"\1"),
    ),
    drop=(r"backbone2\..*", r"head2\..*"),
)

FAMILY = Family(
    name="isynet",
    task="image-classification",
    builder="isynet",
    arguments={
        "variant": str,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "weight_standardization": bool,
        "last_norm": bool,
        **FEATURES,
    },
    layouts={"models": _MODELS},
    head="fc bn2",
    stem="blocks.0.0.layers.0",
)
