"""PNASNet: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family

# research/cv/pnasnet: saved from the training graph.
_MODELS = Layout(rules=((r"^network\.(.+)$", r"\1"),), drop=(r"(network\.)?aux_logits\..*",))

FAMILY = Family(
    name="pnasnet",
    task="image-classification",
    builder="pnasnet",
    arguments={"num_classes": int, "in_channels": int, "dropout": NUMBER, **FEATURES},
    layouts={"mindcv": Layout(), "models": _MODELS},
    head="last_linear",
    stem="conv_0.conv",
)
