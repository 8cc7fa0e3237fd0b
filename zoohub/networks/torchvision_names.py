"""torchvision's names for the parameters of networks it has too, as data; free of MindSpore.

Each pair of module paths means the same layer, `{}` any number; what hangs below follows from the
layer's kind. Architectures agree, numerics not always: `difference_note` says where not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zoohub.networks.layouts import Layout

_PLAIN = (("weight", "weight"), ("bias", "bias"))
_NORM = (
    ("gamma", "weight"),
    ("beta", "bias"),
    ("moving_mean", "running_mean"),
    ("moving_variance", "running_var"),
)
# PyTorch counts batches in training; MindSpore does not.
_UNKNOWN_HERE = r".*\.num_batches_tracked"


@dataclass(frozen=True, slots=True)
class Naming:
    """Module paths here and there: `plain` ones (convolutions, dense layers) and batch norms."""

    plain: tuple[tuple[str, str], ...]
    norms: tuple[tuple[str, str], ...]


def _mobilenet_v2() -> Naming:
    plain = [("features.0", "features.0.0"), ("features.20", "features.18.0")]
    norms = [("features.1", "features.0.1"), ("features.21", "features.18.1")]
    plain += [("classifier.1", "classifier.1"), ("features.3.layers.0", "features.1.conv.0.0")]
    plain.append(("features.3.layers.3", "features.1.conv.1"))
    norms += [
        ("features.3.layers.1", "features.1.conv.0.1"),
        ("features.3.layers.4", "features.1.conv.2"),
    ]
    for block in range(2, 18):
        here, there = f"features.{block + 2}.layers", f"features.{block}.conv"
        plain += [(f"{here}.0", f"{there}.0.0"), (f"{here}.3", f"{there}.1.0")]
        plain.append((f"{here}.6", f"{there}.2"))
        norms += [(f"{here}.1", f"{there}.0.1"), (f"{here}.4", f"{there}.1.1")]
        norms.append((f"{here}.7", f"{there}.3"))
    return Naming(tuple(plain), tuple(norms))


NAMINGS: Mapping[str, Naming] = {
    "mobilenet_v2": _mobilenet_v2(),
    "resnet": Naming(
        plain=(
            ("conv1", "conv1"),
            ("layer{}.{}.conv{}", "layer{}.{}.conv{}"),
            ("layer{}.{}.down_sample.0", "layer{}.{}.downsample.0"),
            ("classifier", "fc"),
        ),
        norms=(
            ("bn1", "bn1"),
            ("layer{}.{}.bn{}", "layer{}.{}.bn{}"),
            ("layer{}.{}.down_sample.1", "layer{}.{}.downsample.1"),
        ),
    ),
}


_CEIL_POOLING = (
    "the stem's pooling pads below and to the right only: for the same results set "
    "model.maxpool = torch.nn.MaxPool2d(3, 2, ceil_mode=True) in PyTorch"
)
_OTHER_NUMERICS = (
    "the publisher pads and normalises otherwise than torchvision ({}): the weights fit its "
    "network, the results will differ; fine-tune them"
)


def difference_note(builder: str | None, arguments: Mapping[str, Any]) -> str | None:
    """What sets a network built with `arguments` apart from torchvision's of the same names."""
    if builder != "resnet":
        return None
    own = {"conv_padding": "symmetric", "bn_eps": 1e-5, "outer_bn_eps": None}
    odd = [f"{key}={arguments[key]}" for key in own if arguments.get(key, own[key]) != own[key]]
    if odd:
        return _OTHER_NUMERICS.format(", ".join(odd))
    return _CEIL_POOLING if arguments.get("pool_padding", "same") == "same" else None


def to_torchvision(builder: str | None, names: Iterable[str]) -> dict[str, str] | None:
    """Own names to torchvision's; None where torchvision lacks the network or one of the names."""
    naming = NAMINGS.get(builder or "")
    if naming is None:
        return None
    rules = [(re.compile(own), other) for own, other in _rules(naming)]
    result: dict[str, str] = {}
    for name in names:
        for pattern, replacement in rules:
            match = pattern.fullmatch(name)
            if match:
                result[name] = match.expand(replacement)
                break
        else:
            return None
    return result


def torchvision_layout(builder: str) -> Layout:
    """The layout that reads files with torchvision's names, PyTorch's own included."""
    naming = NAMINGS[builder]
    swapped = Naming(
        tuple((there, here) for here, there in naming.plain),
        tuple((there, here) for here, there in naming.norms),
    )
    return Layout(rules=tuple(_rules(swapped, back=True)), drop=(_UNKNOWN_HERE,))


def _rules(naming: Naming, *, back: bool = False) -> list[tuple[str, str]]:
    """Regular expressions for whole names, and their replacements."""
    rules = []
    for paths, leaves in ((naming.norms, _NORM), (naming.plain, _PLAIN)):
        for source, target in paths:
            for own, other in leaves:
                first, second = (other, own) if back else (own, other)
                rules.append((_pattern(f"{source}.{first}"), _replacement(f"{target}.{second}")))
    return rules


def _pattern(path: str) -> str:
    return re.escape(path).replace(r"\{\}", r"(\d+)")


def _replacement(path: str) -> str:
    for group in range(1, path.count("{}") + 1):
        path = path.replace("{}", rf"\{group}", 1)
    return path
