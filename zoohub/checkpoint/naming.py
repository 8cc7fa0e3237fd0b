"""Which of a file's names belong to a network, and under which names the network knows them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.training_state import is_training_state, training_state
from zoohub.errors import CheckpointMismatch

EMA = "ema."
_AVERAGED = re.compile(r"(?:.*\.)?(?:\w+_)?(?:ema|swa|averaged?|shadow)(?:_\w+)?\.")

__all__ = ["EMA", "Renamer", "Renaming", "is_training_state", "rename"]


@dataclass(frozen=True, slots=True)
class Renaming:
    """How a file's names become the network's.

    `names` maps the file's to the network's; `left_out` are the file's names without use, of which
    `state` are training's. `prefix` stood before all names and was taken off, `added` was put
    there; `layout` is the naming scheme's name.
    """

    names: Mapping[str, str]
    left_out: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    prefix: str = ""
    added: str = ""
    layout: str = ""

    @property
    def renamed(self) -> dict[str, str]:
        """Those whose name changed."""
        return {old: new for old, new in self.names.items() if old != new}


class Renamer:
    """A layout's rules, compiled when first asked for; each name is looked up once."""

    def __init__(self, layout: Layout | None = None) -> None:
        self._layout = layout or Layout()
        self._known: dict[str, str] = {}

    @cached_property
    def _rules(self) -> list[tuple[re.Pattern[str], str]]:
        return [(re.compile(pattern), new) for pattern, new in self._layout.rules]

    @cached_property
    def _drop(self) -> list[re.Pattern[str]]:
        return [re.compile(pattern) for pattern in self._layout.drop]

    def __call__(self, name: str) -> str:
        """The network's name for a file's: the first rule that matches all of it, once."""
        if name not in self._known:
            self._known[name] = self._apply(name)
        return self._known[name]

    def drops(self, name: str) -> bool:
        """Whether the network has no use for the name."""
        return any(pattern.fullmatch(name) for pattern in self._drop)

    def matches(self, name: str) -> bool:
        """Whether a rule is about the name."""
        return any(pattern.fullmatch(name) for pattern, _ in self._rules)

    def _apply(self, name: str) -> str:
        for pattern, replacement in self._rules:
            match = pattern.fullmatch(name)
            if match:
                return match.expand(replacement)
        return name


def is_averaged(prefix: str) -> bool:
    """Whether a prefix of names is that of a moving average of the weights.

    >>> is_averaged("ema."), is_averaged("model_ema.module."), is_averaged("schema.")
    (True, True, False)
    """
    return any(_AVERAGED.fullmatch(prefix[: end + 1]) for end in _dots(prefix))


def not_averaged(source: str) -> CheckpointMismatch:
    """What to raise where a file is to give the moving average of its weights, and has none."""
    return CheckpointMismatch(
        f"{source} has no averaged weights (ema.*), which ema=True asks for; without it the "
        "plain ones are loaded"
    )


def repeats_averaged(name: str, known: Collection[str]) -> bool:
    """Whether a name is a known one behind the prefix of a moving average."""
    return any(name[end + 1 :] in known and is_averaged(name[: end + 1]) for end in _dots(name))


def rename(
    names: Iterable[str],
    layout: Layout | None = None,
    *,
    ema: bool = False,
    keep: Iterable[str] = (),
) -> Renaming:
    """Map a file's names onto a network's that is not at hand: by the layout alone.

    Left out: training state (unless in `keep`, the network's own names), what `layout.drop`
    names, and the alternative set `ema.*` (the moving average of the weights). With `ema=True`
    that set is used instead: `ema.X` becomes X and takes the place of the file's own X.
    `matching.match` does more, where the network's table is known.

    Raises:
        CheckpointMismatch: two names of the file become one.
    """
    own, names, to_own = frozenset(keep), list(names), Renamer(layout)
    averaged = {n.removeprefix(EMA) for n in names if n.startswith(EMA)}
    state = training_state([n for n in names if n not in own], (), names)
    stems: dict[str, str] = {}
    for name in names:
        stem = name
        if name.startswith(EMA) and name not in own:
            stem = name.removeprefix(EMA) if ema else ""
        elif ema and name in averaged:
            stem = ""
        if stem and name not in state and (stem in own or not to_own.drops(stem)):
            stems[name] = stem
    result = unique({name: to_own(stem) for name, stem in stems.items()})
    left_out = tuple(name for name in names if name not in result)
    return Renaming(result, left_out, tuple(n for n in names if n in state))


def unique(renamed: dict[str, str]) -> dict[str, str]:
    """The same, if no two of the file's names become one.

    Raises:
        CheckpointMismatch: they do.
    """
    taken: dict[str, str] = {}
    for name, new in renamed.items():
        if new in taken:
            raise CheckpointMismatch(
                f"{taken[new]!r} and {name!r} both become {new!r}: the file does not follow the "
                "naming scheme it is read with. Name another with parameters=…"
            )
        taken[new] = name
    return renamed


def _dots(text: str) -> list[int]:
    return [place for place, character in enumerate(text) if character == "."]
