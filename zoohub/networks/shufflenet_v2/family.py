"""ShuffleNetV2: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

_REPEATS = (4, 8, 4)


def _torchvision() -> Naming:
    """torchvision's second branch is the main one; in its first branch the filter comes first."""
    plain = [("first_conv.0", "conv1.0"), ("conv_last.0", "conv5.0"), ("classifier", "fc")]
    norms = [("first_conv.1", "conv1.1"), ("conv_last.1", "conv5.1")]
    block = 0
    for stage, repeats in enumerate(_REPEATS, 2):
        for index in range(repeats):
            here, there = f"features.{block}", f"stage{stage}.{index}"
            plain += [(f"{here}.branch_main.{n}", f"{there}.branch2.{n}") for n in (0, 3, 5)]
            norms += [(f"{here}.branch_main.{n}", f"{there}.branch2.{n}") for n in (1, 4, 6)]
            if index == 0:
                plain += [(f"{here}.branch_proj.{n}", f"{there}.branch1.{n}") for n in (0, 2)]
                norms += [(f"{here}.branch_proj.{n}", f"{there}.branch1.{n}") for n in (1, 3)]
            block += 1
    return Naming(tuple(plain), tuple(norms))


_TORCHVISION = _torchvision()


def _difference(arguments: Mapping[str, object]) -> str | None:
    if arguments.get("shuffle") == "after":
        return None
    return (
        "torchvision's branches have other widths where the size is halved, and its classifier has "
        "a bias: the weights do not fit its network"
    )


FAMILY = Family(
    name="shufflenet_v2",
    task="image-classification",
    builder="shufflenet_v2",
    arguments={
        "width": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "shuffle": str,
        "classifier_bias": bool,
        "pool_padding": str,
        **FEATURES,
    },
    layouts={
        "mindcv": Layout(),
        "models": Layout(rules=((r"^classifier\.0\.weight$", "classifier.weight"),)),
        "torchvision": _TORCHVISION.layout(),
    },
    head="classifier",
    stem="first_conv.0",
    torchvision=_TORCHVISION,
    torchvision_arguments={
        "shuffle": "after",
        "classifier_bias": True,
        "pool_padding": "symmetric",
    },
    torchvision_difference=_difference,
)
