"""RegNet: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming


def _torchvision() -> Naming:
    plain = [("stem.conv", "stem.0"), ("head.fc", "fc")]
    norms = [("stem.bn", "stem.1")]
    for stage in range(4):
        here = f"0.blocks.{stage}.blocks.{{}}" if stage else "0.blocks.{}"
        there = f"trunk_output.block{stage + 1}.block{stage + 1}-{{}}"
        plain.append((f"{here}.proj", f"{there}.proj.0"))
        norms.append((f"{here}.bn", f"{there}.proj.1"))
        plain += [(f"{here}.f.{each}", f"{there}.f.{each}.0") for each in "abc"]
        norms += [(f"{here}.f.{each}_bn", f"{there}.f.{each}.1") for each in "abc"]
        plain.append((f"{here}.f.se.conv_reduce", f"{there}.f.se.fc1"))
        plain.append((f"{here}.f.se.conv_expand", f"{there}.f.se.fc2"))
    return Naming(tuple(plain), tuple(norms))


_TORCHVISION = _torchvision()

FAMILY = Family(
    name="regnet",
    task="image-classification",
    builder="regnet",
    arguments={
        "depth": int,
        "width": int,
        "slope": NUMBER,
        "multiplier": NUMBER,
        "group_width": int,
        "se_ratio": NUMBER,
        "num_classes": int,
        "in_channels": int,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "torchvision": _TORCHVISION.layout()},
    head="head.fc",
    stem="stem.conv",
    torchvision=_TORCHVISION,
)
