"""Which network definitions zoohub has, as data: readable without MindSpore.

A builder is a plain function `module:function` that returns an `nn.Cell`. Its `arguments` are
what an index may give it, by name and type. A layout is a naming scheme of checkpoint files:
ordered rules that turn a name in the file into the network's own name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from zoohub.errors import NetworkNotAvailable
from zoohub.networks import layouts
from zoohub.networks.layouts import Layout
from zoohub.networks.torchvision_names import torchvision_layout

__all__ = ["Builder", "Layout", "argument_misfit", "builders", "find_builder"]


@dataclass(frozen=True, slots=True)
class Builder:
    """One registered network family.

    `constants` are regular expressions of parameters whose value the constructor computes (anchors,
    strides). A file that has them overrules the constructor; one that lacks them, as older files
    do, is complete all the same.
    """

    name: str
    target: str
    arguments: Mapping[str, type | tuple[type, ...]]
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    constants: tuple[str, ...] = ()

    def load(self) -> Callable[..., Any]:
        """Import the function. This imports MindSpore."""
        module, _, function = self.target.partition(":")
        return getattr(importlib.import_module(module), function)


_NUMBER = (float, int)
_NUMBER_OR_NONE = (float, int, type(None))
_FEATURES: dict[str, type | tuple[type, ...]] = {
    "features_only": bool,
    "out_indices": (tuple, list),
}

_ALL = (
    Builder(
        name="lenet",
        target="zoohub.networks.classification.lenet:lenet",
        arguments={"num_classes": int, "in_channels": int},
        layouts={"models": Layout()},
    ),
    Builder(
        name="mobilenet_v2",
        target="zoohub.networks.classification.mobilenet_v2:mobilenet_v2",
        arguments={
            "width": _NUMBER,
            "num_classes": int,
            "in_channels": int,
            "dropout": _NUMBER,
            **_FEATURES,
        },
        layouts={
            "mindcv": Layout(),
            "models": layouts.MOBILENET_V2_MODELS,
            "torchvision": torchvision_layout("mobilenet_v2"),
        },
    ),
    Builder(
        name="resnet",
        target="zoohub.networks.classification.resnet:resnet",
        arguments={
            "depth": int,
            "num_classes": int,
            "in_channels": int,
            "conv_padding": str,
            "pool_padding": str,
            "bn_eps": _NUMBER,
            "outer_bn_eps": _NUMBER_OR_NONE,
            **_FEATURES,
        },
        layouts={
            "mindcv": Layout(),
            "models": layouts.RESNET_MODELS,
            "torchvision": torchvision_layout("resnet"),
        },
    ),
    Builder(
        name="yolov5",
        target="zoohub.networks.detection.yolov5:yolov5",
        arguments={
            "size": str,
            "num_classes": int,
            "in_channels": int,
            "decode": bool,
            "width": _NUMBER_OR_NONE,
            "depth": _NUMBER_OR_NONE,
        },
        layouts={"mindyolo": Layout()},
        # mindyolo's files of 2023 have no `stride`.
        constants=(r"model\.model\.\d+\.(?:stride|anchors|anchor_grid)",),
    ),
    Builder(
        name="yolov5_focus",
        target="zoohub.networks.detection.yolov5_focus:yolov5_focus",
        arguments={"size": str, "num_classes": int, "sliced_input": bool, "decode": bool},
        layouts={"models": layouts.YOLOV5_MODELS},
    ),
)
_BUILDERS: Mapping[str, Builder] = MappingProxyType({builder.name: builder for builder in _ALL})


def find_builder(name: str) -> Builder:
    """The builder registered under `name`.

    Raises:
        NetworkNotAvailable: zoohub has no such network definition.
    """
    try:
        return _BUILDERS[name]
    except KeyError:
        raise NetworkNotAvailable(
            f"zoohub has no network definition {name!r}; it has {', '.join(sorted(_BUILDERS))}"
        ) from None


def builders() -> tuple[Builder, ...]:
    """All registered builders, by name."""
    return tuple(_BUILDERS[name] for name in sorted(_BUILDERS))


def argument_misfit(builder: Builder, name: str, value: object) -> str | None:
    """Why the builder cannot take this argument; None if it can.

    A whole number does for a float and a list for a tuple; True is no number.
    """
    if name not in builder.arguments:
        known = ", ".join(sorted(builder.arguments)) or "none"
        return f"{builder.name} takes no argument {name!r}; it takes {known}"
    expected = builder.arguments[name]
    kinds = expected if isinstance(expected, tuple) else (expected,)
    fits = (
        isinstance(value, kinds)
        or (float in kinds and isinstance(value, int))
        or (tuple in kinds and isinstance(value, list))
    )
    if fits and (not isinstance(value, bool) or bool in kinds):
        return None
    wanted = " or ".join(kind.__name__ for kind in kinds)
    return f"{builder.name}: {name}={value!r} should be {wanted}"
