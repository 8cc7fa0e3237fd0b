"""DPN: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, SEQUENCE, Family

# official/cv/dpn trained on Ascend, with `split_groups`.
_MODELS = Layout(rules=((r"^(.+)\.conv2\.(\d+)\.weight$", r"\1.conv2.convs.\2.weight"),))

FAMILY = Family(
    name="dpn",
    task="image-classification",
    builder="dpn",
    arguments={
        "stem_channels": int,
        "width": int,
        "groups": int,
        "depths": SEQUENCE,
        "growths": SEQUENCE,
        "num_classes": int,
        "in_channels": int,
        "split_groups": bool,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS},
    head="classifier",
    stem="features.conv1.conv",
)
