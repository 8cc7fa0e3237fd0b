"""VGG: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

# official/cv/vgg16 and research/cv/vgg19.
_MODELS = Layout(rules=((r"^layers\.(\d+\.\w+)$", r"features.\1"),))
_TORCHVISION = Naming(
    plain=(("features.{}", "features.{}"), ("classifier.{}", "classifier.{}")),
    norms=(("features.{}", "features.{}"),),
)


def _torchvision_layout() -> Layout:
    """With norms, a weight may be a convolution's or a norm's: the places tell.

    torchvision numbers both alike, so only networks without norms are read.
    """
    plain = Naming(plain=_TORCHVISION.plain)
    return plain.layout()


def _difference(arguments: Mapping[str, object]) -> str | None:
    if arguments.get("conv_bias"):
        return None
    return (
        "torchvision's convolutions have biases, which are missing here: set them to zero and load "
        "with strict=False in PyTorch"
    )


FAMILY = Family(
    name="vgg",
    task="image-classification",
    builder="vgg",
    arguments={
        "depth": int,
        "batch_norm": bool,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "conv_bias": bool,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _torchvision_layout()},
    head="classifier.6",
    stem="features.0",
    torchvision=_TORCHVISION,
    torchvision_arguments={"conv_bias": True},
    torchvision_difference=_difference,
)
