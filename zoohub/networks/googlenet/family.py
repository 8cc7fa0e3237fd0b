"""GoogLeNet: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

# official/cv/googlenet.
_MODELS = Layout(
    rules=(
        (r"^block(\w+)\.b4\.(.+)$", r"inception\1.b4.1.\2"),
        (r"^block(\w+)\.(.+)$", r"inception\1.\2"),
    )
)


def _torchvision() -> Naming:
    plain = [(f"conv{number}.conv", f"conv{number}.conv") for number in (1, 2, 3)]
    norms = [(f"conv{number}.bn", f"conv{number}.bn") for number in (1, 2, 3)]
    for block in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        for branch in ("1", "2.0", "2.1", "3.0", "3.1", "4.1"):
            here, there = f"inception{block}.b{branch}", f"inception{block}.branch{branch}"
            plain.append((f"{here}.conv", f"{there}.conv"))
            norms.append((f"{here}.bn", f"{there}.bn"))
    return Naming((*plain, ("classifier", "fc")), tuple(norms))


_TORCHVISION = _torchvision()
_READ = _TORCHVISION.layout()
# The heads that torchvision trains beside the main one.
_READ = replace(_READ, drop=(*_READ.drop, r"aux\d\..*"))


def _difference(arguments: Mapping[str, object]) -> str | None:
    if arguments.get("batch_norm") and arguments.get("conv_padding") == "symmetric":
        return None
    return (
        "torchvision's network has batch norms and 3×3 kernels in the third branch, and pads its "
        "first convolution on every side: the results will differ where the weights fit at all"
    )


FAMILY = Family(
    name="googlenet",
    task="image-classification",
    builder="googlenet",
    arguments={
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "batch_norm": bool,
        "wide_kernel": int,
        "conv_padding": str,
        "bn_eps": NUMBER,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _READ},
    head="classifier",
    stem="conv1.conv",
    torchvision=_TORCHVISION,
    torchvision_difference=_difference,
)
