"""DenseNet: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, SEQUENCE, Family
from zoohub.networks.pytorch_names import Naming

# official/cv/densenet.
_MODELS = Layout(rules=((r"^backbone\.(.+)$", r"\1"), (r"^head\.fc\.(\w+)$", r"classifier.\1")))


def _torchvision() -> Naming:
    plain = [("features.conv0", "features.conv0"), ("classifier", "classifier")]
    plain.append(("features.transition{}.features.conv", "features.transition{}.conv"))
    norms = [("features.norm0", "features.norm0"), ("features.norm5", "features.norm5")]
    norms.append(("features.transition{}.features.norm", "features.transition{}.norm"))
    for layer in range(48):  # of the longest block, DenseNet-201's third
        here = f"features.denseblock{{}}.cell_list.{layer}"
        there = f"features.denseblock{{}}.denselayer{layer + 1}"
        plain.append((f"{here}.conv{{}}", f"{there}.conv{{}}"))
        norms.append((f"{here}.norm{{}}", f"{there}.norm{{}}"))
    return Naming(tuple(plain), tuple(norms))


_TORCHVISION = _torchvision()


def _difference(arguments: Mapping[str, object]) -> str | None:
    if (
        arguments.get("stem_pool", "symmetric") == "symmetric"
        and arguments.get("transition_pool", "average") == "average"
        and not arguments.get("small_stem", False)
    ):
        return None
    return (
        "the publisher pools otherwise than torchvision: the weights fit its network, the results "
        "will differ; fine-tune them"
    )


FAMILY = Family(
    name="densenet",
    task="image-classification",
    builder="densenet",
    arguments={
        "depths": SEQUENCE,
        "growth": int,
        "stem_channels": int,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "small_stem": bool,
        "stem_pool": str,
        "transition_pool": str,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _TORCHVISION.layout()},
    head="classifier",
    stem="features.conv0",
    torchvision=_TORCHVISION,
    torchvision_difference=_difference,
)
