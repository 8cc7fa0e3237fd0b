"""Xception: names, arguments, and what timm calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

_BLOCKS = range(1, 13)

# official/cv/xception.
_MODELS = Layout(
    rules=(
        *((rf"^block{block}\.(.+)$", rf"blocks.{block - 1}.\1") for block in _BLOCKS),
        (r"^fc\.(\w+)$", r"classifier.\1"),
    )
)


def _timm() -> Naming:
    """timm's `legacy_xception`."""
    plain = [("conv1", "conv1"), ("conv2", "conv2"), ("classifier", "fc")]
    norms = [(f"bn{number}", f"bn{number}") for number in range(1, 5)]
    for conv in ("conv3", "conv4"):
        plain += [(f"{conv}.{part}", f"{conv}.{part}") for part in ("conv1", "pointwise")]
    for block in _BLOCKS:
        here, there = f"blocks.{block - 1}", f"block{block}"
        plain.append((f"{here}.skip", f"{there}.skip"))
        norms.append((f"{here}.skipbn", f"{there}.skipbn"))
        norms.append((f"{here}.rep.{{}}", f"{there}.rep.{{}}"))
        for part in ("conv1", "pointwise"):
            plain.append((f"{here}.rep.{{}}.{part}", f"{there}.rep.{{}}.{part}"))
    return Naming(tuple(plain), tuple(norms))


_TIMM = _timm()


def _difference(arguments: Mapping[str, object]) -> str:
    return (
        "timm's legacy_xception pads its max pooling on every side, this one below and to the "
        "right: the weights fit its network, the results will differ; fine-tune them"
    )


FAMILY = Family(
    name="xception",
    task="image-classification",
    builder="xception",
    arguments={"num_classes": int, "in_channels": int, "dropout": NUMBER, **FEATURES},
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _TIMM.layout()},
    head="classifier",
    stem="conv1",
    torchvision=_TIMM,
    torchvision_difference=_difference,
)
