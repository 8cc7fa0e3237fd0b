"""HRNet: names, arguments, and what timm calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, Family
from zoohub.networks.pytorch_names import Naming

# research/cv/HRNetW48_cls, with `head_bias`.
_MODELS = Layout(
    rules=(
        (r"^(.+)\.downsample\.(.+)$", r"\1.down_sample.\2"),
        (r"^downsamp_modules\.(.+)$", r"downsample_modules.\1"),
    )
)
_BLOCKS = ("layer1.{}", "stage{}.{}.branches.{}.{}", "incre_modules.{}.{}")
_TIMM = Naming(
    plain=(
        ("conv{}", "conv{}"),
        *((f"{block}.conv{{}}", f"{block}.conv{{}}") for block in _BLOCKS),
        *((f"{block}.down_sample.0", f"{block}.downsample.0") for block in _BLOCKS),
        ("transition{}.{}.0", "transition{}.{}.0"),
        ("transition{}.{}.{}.0", "transition{}.{}.{}.0"),
        ("stage{}.{}.fuse_layers.{}.{}.0", "stage{}.{}.fuse_layers.{}.{}.0"),
        ("stage{}.{}.fuse_layers.{}.{}.{}.0", "stage{}.{}.fuse_layers.{}.{}.{}.0"),
        ("downsample_modules.{}.0", "downsamp_modules.{}.0"),
        ("final_layer.0", "final_layer.0"),
        ("classifier", "classifier"),
    ),
    norms=(
        ("bn{}", "bn{}"),
        *((f"{block}.bn{{}}", f"{block}.bn{{}}") for block in _BLOCKS),
        *((f"{block}.down_sample.1", f"{block}.downsample.1") for block in _BLOCKS),
        ("transition{}.{}.1", "transition{}.{}.1"),
        ("transition{}.{}.{}.1", "transition{}.{}.{}.1"),
        ("stage{}.{}.fuse_layers.{}.{}.1", "stage{}.{}.fuse_layers.{}.{}.1"),
        ("stage{}.{}.fuse_layers.{}.{}.{}.1", "stage{}.{}.fuse_layers.{}.{}.{}.1"),
        ("downsample_modules.{}.1", "downsamp_modules.{}.1"),
        ("final_layer.1", "final_layer.1"),
    ),
)


def _difference(arguments: Mapping[str, object]) -> str | None:
    if arguments.get("head_bias", False):
        return None
    return "timm's convolutions in the head have biases, which this network lacks: set them to 0"


FAMILY = Family(
    name="hrnet",
    task="image-classification",
    builder="hrnet",
    arguments={
        "width": int,
        "num_classes": int,
        "in_channels": int,
        "head_bias": bool,
        "half_upsampling": bool,
        **FEATURES,
    },
    layouts={"mindcv": Layout(), "models": _MODELS, "torchvision": _TIMM.layout()},
    head="classifier",
    stem="conv1",
    torchvision=_TIMM,
    torchvision_difference=_difference,
)
