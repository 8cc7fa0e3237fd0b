"""PyTorch's names for the parameters of networks that torchvision or timm have too, as data.

Each pair of module paths means the same layer, `{}` any number; what hangs below follows from the
layer's kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from zoohub.checkpoint.layout import Layout

_PLAIN = (("weight", "weight"), ("bias", "bias"))
_BATCH_NORM = (
    ("gamma", "weight"),
    ("beta", "bias"),
    ("moving_mean", "running_mean"),
    ("moving_variance", "running_var"),
)
# PyTorch counts batches in training; MindSpore does not.
_UNKNOWN_HERE = r".*\.num_batches_tracked"


@dataclass(frozen=True, slots=True)
class Naming:
    """Module paths here and there: `plain` ones (convolutions, dense layers), norms (of batches
    and of layers alike), and `single` parameters that belong to no such layer (whole names)."""

    plain: tuple[tuple[str, str], ...] = ()
    norms: tuple[tuple[str, str], ...] = ()
    single: tuple[tuple[str, str], ...] = ()

    def layout(self) -> Layout:
        """The layout that reads files with PyTorch's names."""
        return Layout(rules=tuple(self._rules(back=True)), drop=(_UNKNOWN_HERE,))

    def translate(self, names: Iterable[str]) -> dict[str, str] | None:
        """Own names to PyTorch's; None where PyTorch's network lacks one of them."""
        rules = [(re.compile(own), other) for own, other in self._rules()]
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

    def _rules(self, *, back: bool = False) -> list[tuple[str, str]]:
        """Regular expressions for whole names, and their replacements."""
        pairs = [
            (f"{here}.{own}", f"{there}.{other}")
            for paths, leaves in ((self.norms, _BATCH_NORM), (self.plain, _PLAIN))
            for here, there in paths
            for own, other in leaves
        ]
        return [
            (_pattern(there), _replacement(here)) if back else (_pattern(here), _replacement(there))
            for here, there in (*pairs, *self.single)
        ]


def _pattern(path: str) -> str:
    return re.escape(path).replace(r"\{\}", r"(\d+)")


def _replacement(path: str) -> str:
    for group in range(1, path.count("{}") + 1):
        path = path.replace("{}", rf"\{group}", 1)
    return path
