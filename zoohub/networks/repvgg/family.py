"""RepVGG: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, SEQUENCE, Family

# research/cv/repvgg, saved from the cell that holds network and loss; a list of one group.
_MODELS = Layout(
    rules=((r"^model\.(.+)\.convs\.0\.weight$", r"\1.weight"), (r"^model\.(.+)$", r"\1"))
)

FAMILY = Family(
    name="repvgg",
    task="image-classification",
    builder="repvgg",
    arguments={
        "depths": SEQUENCE,
        "widths": SEQUENCE,
        "groups": int,
        "num_classes": int,
        "in_channels": int,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS},
    head="linear",
    stem="stage0.rbr_dense.0 stage0.rbr_1x1.0",
)
