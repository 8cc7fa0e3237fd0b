"""Which of a file's names belong to a network, and under which names the network knows them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zoohub.errors import CheckpointMismatch
from zoohub.networks.registry import Builder, Layout

EMA = "ema."

# What MindSpore's optimisers and training loops save beside the weights (../shared/mindspore.md).
_TRAINING_STATE = re.compile(
    r"(?:optimizer\.|opt\.)?(?:moments?\w*|adam_[mv]|accum)\..+"
    r"|(?:.*\.)?(?:global_step|learning_rate|epoch_num|step_num|cur_step_num|loss_scale|scale_sense"
    r"|current_iterator_step|last_overflow_iterator_step|beta[12]_power)"
)


@dataclass(frozen=True, slots=True)
class Renaming:
    """The outcome of `rename`: file name to network name, and the file's names left out."""

    names: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    @property
    def renamed(self) -> dict[str, str]:
        """Those whose name changed."""
        return {old: new for old, new in self.names.items() if old != new}


def is_training_state(name: str) -> bool:
    """Whether a name is an optimiser's or a training loop's, not a network's.

    >>> is_training_state("moments.conv1.weight"), is_training_state("conv1.weight")
    (True, False)
    """
    return _TRAINING_STATE.fullmatch(name) is not None


def rename(
    names: Iterable[str],
    layout: Layout | None = None,
    *,
    ema: bool = False,
    keep: Iterable[str] = (),
) -> Renaming:
    """Map a file's names onto the network's.

    Left out: training state (unless in `keep`, the network's own names), what `layout.drop`
    names, and the alternative set `ema.*` (the moving average of the weights). With `ema=True`
    that set is used instead: `ema.X` becomes X and takes the place of the file's own X.

    Raises:
        CheckpointMismatch: two names of the file become one.
    """
    layout = layout or Layout()
    own = frozenset(keep)
    rules = [(re.compile(pattern), replacement) for pattern, replacement in layout.rules]
    drop = [re.compile(pattern) for pattern in layout.drop]
    names = list(names)
    averaged = {name.removeprefix(EMA) for name in names if name.startswith(EMA)}
    taken: dict[str, str] = {}
    result: dict[str, str] = {}
    left_out: list[str] = []
    for name in names:
        stem = name
        if name.startswith(EMA) and name not in own:
            stem = name.removeprefix(EMA) if ema else ""
        elif ema and name in averaged:
            stem = ""
        if not stem or _is_unwanted(stem, own, drop):
            left_out.append(name)
            continue
        new = _apply(rules, stem)
        if new in taken:
            raise CheckpointMismatch(
                f"{taken[new]!r} and {name!r} both become {new!r}: the file does not follow the "
                "naming scheme it is read with. Name another with parameters=…"
            )
        taken[new] = name
        result[name] = new
    return Renaming(result, tuple(left_out))


def detect_layout(names: Iterable[str], builder: Builder, network: Iterable[str] = ()) -> str:
    """The name of the builder's layout that fits a file's names.

    With `network`, the network's own names, that layout fits whose renamed names agree with most
    of them. Without, the one whose rules match most of the names; none matching means the
    network's own names. Ties go to the layout registered first. A builder without layouts, and a
    file that already has the network's names, give `""`: no renaming.

    Raises:
        CheckpointMismatch: with `network`, when no layout gives a single name of it.
    """
    names = list(names)
    own = frozenset(network)
    candidates = {"": Layout(), **builder.layouts} if own else dict(builder.layouts)
    best, score = "", 0
    for name, layout in candidates.items():
        fitting = _fit(names, layout, own)
        if fitting > score:
            best, score = name, fitting
    if own and not score:
        tried = ", ".join(builder.layouts) or "none registered"
        raise CheckpointMismatch(
            f"no naming scheme turns the file's names into {builder.name}'s (tried: {tried}); "
            f"the file has {', '.join(names[:3])}…"
        )
    return best


def _fit(names: list[str], layout: Layout, own: frozenset[str]) -> int:
    if own:
        try:
            return len(own.intersection(rename(names, layout, keep=own).names.values()))
        except CheckpointMismatch:
            return 0
    rules = [re.compile(pattern) for pattern, _ in layout.rules]
    return sum(any(rule.fullmatch(name) for rule in rules) for name in names)


def _is_unwanted(name: str, own: frozenset[str], drop: list[re.Pattern[str]]) -> bool:
    if name in own:
        return False
    return is_training_state(name) or any(pattern.fullmatch(name) for pattern in drop)


def _apply(rules: list[tuple[re.Pattern[str], str]], name: str) -> str:
    for pattern, replacement in rules:
        match = pattern.fullmatch(name)
        if match:
            return match.expand(replacement)
    return name
