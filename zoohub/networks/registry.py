"""Which network definitions zoohub has, as data: readable without MindSpore.

A builder is a plain function `module:function` that returns an `nn.Cell`. Its `arguments` are
what an index may give it, by name and type. A layout is a naming scheme of checkpoint files:
ordered rules that turn a name in the file into the network's own name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zoohub.errors import NetworkNotAvailable


@dataclass(frozen=True, slots=True)
class Layout:
    """Rules from a file's parameter names to the network's.

    `rules` are (regular expression, replacement) pairs, tried in order on the whole name; the
    first that matches is applied, once. A name no rule matches stays. `drop` are regular
    expressions of names the network has no use for (training-only branches, say).
    """

    rules: tuple[tuple[str, str], ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Builder:
    """One registered network family."""

    name: str
    target: str
    arguments: Mapping[str, type | tuple[type, ...]]
    layouts: Mapping[str, Layout] = field(default_factory=dict)

    def load(self) -> Callable[..., Any]:
        """Import the function. This imports MindSpore."""
        module, _, function = self.target.partition(":")
        return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]


_BUILDERS: dict[str, Builder] = {}


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
