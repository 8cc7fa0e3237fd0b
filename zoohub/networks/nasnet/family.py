"""NASNet-A: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family

# official/cv/nasnet: saved from the training graph, with the head that only training uses.
_MODELS = Layout(
    rules=((r"^network\.(.+)$", r"\1"),),
    drop=(r"(network\.)?aux_logits\..*",),
)

FAMILY = Family(
    name="nasnet",
    task="image-classification",
    builder="nasnet",
    arguments={
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "stem_channels": int,
        "last_channels": int,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS},
    head="classifier",
    stem="conv0.0",
)
