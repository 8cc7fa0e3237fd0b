"""ReXNet: names, arguments, and what timm calls the same layers."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

_BLOCK = "features.{}"
_CONVS = ("conv_exp", "conv_dw", "conv_pwl")
_TIMM = Naming(
    plain=(
        ("stem.features.0", "stem.conv"),
        *((f"{_BLOCK}.{conv}.features.0", f"{_BLOCK}.{conv}.conv") for conv in _CONVS),
        (f"{_BLOCK}.se.conv_reduce", f"{_BLOCK}.se.fc1"),
        (f"{_BLOCK}.se.conv_expand", f"{_BLOCK}.se.fc2"),
        (f"{_BLOCK}.features.0", f"{_BLOCK}.conv"),
        ("cls.1", "head.fc"),
    ),
    norms=(
        ("stem.features.1", "stem.bn"),
        *((f"{_BLOCK}.{conv}.features.1", f"{_BLOCK}.{conv}.bn") for conv in _CONVS),
        (f"{_BLOCK}.se.bn", f"{_BLOCK}.se.bn"),
        (f"{_BLOCK}.features.1", f"{_BLOCK}.bn"),
    ),
)

FAMILY = Family(
    name="rexnet",
    task="image-classification",
    builder="rexnet",
    arguments={
        "width": NUMBER,
        "depth": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "drop_path": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "torchvision": _TIMM.layout()},
    head="cls.1",
    stem="stem.features.0",
    torchvision=_TIMM,
)
