"""MobileNetV3: names, arguments, and what torchvision calls the same layers."""

from __future__ import annotations

from collections.abc import Mapping

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import FEATURES, NUMBER, Family
from zoohub.networks.pytorch_names import Naming

# official/cv/mobilenetv3 names the convolutions of a block where mindcv numbers them through. Which
# number a convolution has follows from what else the block holds: these do, by size.
_EXPANDED = {"large": range(4, 18), "small": range(4, 14)}
_EXCITED = {"large": (*range(6, 9), *range(13, 18)), "small": (3, *range(6, 14))}


def _block(size: str, block: int) -> list[tuple[str, str, int]]:
    """(kind, the models repository's name, mindcv's number) for each part of a block."""
    rows, place = [], 0
    if block in _EXPANDED[size]:
        rows += [("conv", "expand", 0), ("norm", "expand", 1)]
        place = 3
    rows += [("conv", "conv1", place), ("norm", "conv1", place + 1)]
    place += 3
    if block in _EXCITED[size]:
        rows.append(("excite", "se", place))
        place += 1
    return [*rows, ("conv", "conv2", place), ("norm", "conv2", place + 1)]


def _models(size: str) -> Layout:
    rules: list[tuple[str, str]] = []
    for block in range(3, max(_EXPANDED[size]) + 1):
        file, own = rf"^features\.{block}", f"features.{block}.layers"
        for kind, name, place in _block(size, block):
            if kind == "excite":
                rules.append((rf"{file}\.se\.conv1\.(\w+)$", rf"{own}.{place}.conv_reduce.\1"))
                rules.append((rf"{file}\.se\.conv2\.(\w+)$", rf"{own}.{place}.conv_expand.\1"))
            else:
                part = "conv" if kind == "conv" else "bn"
                rules.append((rf"{file}\.{name}\.{part}\.(\w+)$", rf"{own}.{place}.\1"))
    last = max(_EXPANDED[size]) + 5
    rules.append((rf"^features\.{last}\.weight$", "classifier.0.weight"))
    rules.append((r"^output\.(\w+)$", r"classifier.3.\1"))
    return Layout(rules=tuple(rules))


def _torchvision() -> Naming:
    """For both sizes: where they number otherwise, the names below differ too."""
    plain = {"features.0": "features.0.0", "classifier.0": "classifier.0"}
    plain["classifier.3"] = "classifier.3"
    norms = {"features.1": "features.0.1"}
    for size in _EXPANDED:
        last = max(_EXPANDED[size])
        for block in range(3, last + 1):
            here, there, cell = f"features.{block}.layers", f"features.{block - 2}.block", 0
            for kind, _, place in _block(size, block):
                if kind == "conv":
                    plain[f"{here}.{place}"] = f"{there}.{cell}.0"
                elif kind == "norm":
                    norms[f"{here}.{place}"] = f"{there}.{cell}.1"
                else:
                    plain[f"{here}.{place}.conv_reduce"] = f"{there}.{cell}.fc1"
                    plain[f"{here}.{place}.conv_expand"] = f"{there}.{cell}.fc2"
                cell += kind != "conv"
        plain[f"features.{last + 1}"] = f"features.{last - 1}.0"
        norms[f"features.{last + 2}"] = f"features.{last - 1}.1"
    return Naming(tuple(plain.items()), tuple(norms.items()))


_TORCHVISION = _torchvision()


def _difference(arguments: Mapping[str, object]) -> str | None:
    if arguments.get("conv_padding") == "symmetric" and arguments.get("bn_eps") == 1e-3:
        return None
    return (
        "torchvision pads depthwise convolutions with stride 2 on every side and has a batch norm "
        "epsilon of 1e-3: the weights fit its network, the results will differ; fine-tune them"
    )


FAMILY = Family(
    name="mobilenet_v3",
    task="image-classification",
    builder="mobilenet_v3",
    arguments={
        "size": str,
        "width": NUMBER,
        "num_classes": int,
        "in_channels": int,
        "dropout": NUMBER,
        "conv_padding": str,
        "bn_eps": NUMBER,
        "head": str,
        **FEATURES,
    },
    layouts={
        "mindcv": Layout(),
        "models": _models("large"),
        "models_small": _models("small"),
        "torchvision": _TORCHVISION.layout(),
    },
    head="classifier.3",
    stem="features.0",
    torchvision=_TORCHVISION,
    torchvision_arguments={"conv_padding": "symmetric", "bn_eps": 1e-3},
    torchvision_difference=_difference,
)
