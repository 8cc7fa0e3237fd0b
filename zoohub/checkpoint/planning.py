"""Deciding, without touching a network, which tensor of a file goes into which parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zoohub.checkpoint.dtypes import FLOATS, INTEGERS
from zoohub.checkpoint.naming import EMA, Renaming, rename
from zoohub.checkpoint.weights import TensorInfo
from zoohub.errors import CheckpointMismatch
from zoohub.networks.registry import Layout

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Assignment:
    """One parameter's value: the network's `name` from the file's `source`, kept or cast."""

    name: str
    source: str
    dtype: str
    cast: bool


@dataclass(frozen=True, slots=True)
class Cast:
    """A parameter whose element type in the file is not the network's."""

    name: str
    file: str
    network: str

    def __str__(self) -> str:
        return f"{self.name} ({self.file} to {self.network})"


@dataclass(frozen=True, slots=True)
class Misfit:
    """A parameter the file has in another shape, or in a type that cannot be converted."""

    name: str
    file: TensorInfo
    network: TensorInfo

    def __str__(self) -> str:
        if self.file.shape != self.network.shape:
            return f"{self.name} (file {self.file.shape}, network {self.network.shape})"
        return f"{self.name} (file {self.file.dtype}, network {self.network.dtype})"


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was done with every parameter of the file and of the network.

    `loaded` and `replaced` are the network's names (`replaced`: newly initialised because the
    head or the stem was asked to differ); `renamed` maps the file's name to the network's;
    `left_out` are the file's names without use: training state, an unused `ema.*` set, a dropped
    or replaced head; `kept` are the network's constants that older files lack. `missing`,
    `unexpected` and `misshapen` are empty unless `strict=False`; missing and misshapen parameters
    keep their initial values.
    """

    source: str
    loaded: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    renamed: Mapping[str, str] | None = None
    left_out: tuple[str, ...] = ()
    cast: tuple[Cast, ...] = ()
    kept: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    misshapen: tuple[Misfit, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every parameter was loaded, or replaced on request."""
        return not (self.missing or self.unexpected or self.misshapen)

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} parameters loaded from {self.source or 'the file'}"]
        renamed = [f"{old} to {new}" for old, new in (self.renamed or {}).items()]
        for label, items in (
            ("newly initialised, as asked", self.replaced),
            ("renamed", renamed),
            ("cast", self.cast),
            ("in the file, left out", self.left_out),
            ("constants, not in the file", self.kept),
            ("MISSING from the file, randomly initialised", self.missing),
            ("UNEXPECTED in the file, ignored", self.unexpected),
            ("MISSHAPEN, randomly initialised", self.misshapen),
        ):
            if items:
                lines.append(f"{len(items)} {label}: {_some(items, 3)}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Plan:
    """What `cell.apply_plan` will do: assign, and initialise what is `fresh` (network's names)."""

    assignments: tuple[Assignment, ...]
    fresh: tuple[str, ...]
    report: LoadReport


def plan_apply(
    network: Mapping[str, TensorInfo],
    file: Mapping[str, TensorInfo],
    *,
    layout: Layout | None = None,
    replaced: Iterable[str] = (),
    unused: Iterable[str] = (),
    constants: Iterable[str] = (),
    ema: bool = False,
    strict: bool = True,
    source: str = "",
) -> Plan:
    """Compare a network's table of parameters with a file's, and plan the assignment.

    Names, shapes and element types must agree, after renaming by `layout` (see `rename`).
    Exceptions, all of them in the report:

    - `replaced`, prefixes of the network's names whose shapes were asked to change (the head for
      `num_classes`, the stem for `in_channels`). A prefix is loaded whole where all of it fits
      the file, else initialised anew whole. Nothing is ever sliced: 1001 outputs do not go into
      1000; their head is replaced.
    - `unused`, prefixes of names (after renaming) that the file may have and the network not
      (the head, for a network built without one); `""` means any.
    - `constants`, regular expressions of the network's names whose value its constructor
      computes (anchors, strides): a file may lack them, and they stay as constructed.
    - element types: floating types convert into each other, and so do integer types.

    With `strict=False` what does not fit is skipped and reported. `source` is named in messages.

    Raises:
        CheckpointMismatch: strict, and something is missing, unexpected or misshapen; names up to
            ten of each. Also, strict or not: two names collide, or no parameter fits at all.
    """
    replaced, unused = tuple(replaced), tuple(unused)
    renaming = rename(file, layout, ema=ema, keep=network)
    origin = {new: old for old, new in renaming.names.items()}
    misfits = _misfits(network, file, origin)
    absent = [name for name in network if name not in origin]
    kept = _matching(absent, constants)
    missing = [name for name in absent if name not in kept]
    surplus = [new for new in origin if new not in network]

    anew = _replaced_prefixes(replaced, [*misfits, *missing, *surplus])
    fresh = [name for name in network if has_prefix(name, anew)]
    report = LoadReport(
        source=source,
        loaded=tuple(
            n for n in network if n in origin and n not in misfits and not has_prefix(n, anew)
        ),
        replaced=tuple(fresh),
        renamed=renaming.renamed,
        left_out=(
            *renaming.left_out,
            *(old for new, old in origin.items() if has_prefix(new, anew)),
            *(origin[n] for n in surplus if has_prefix(n, unused) and not has_prefix(n, anew)),
        ),
        kept=tuple(n for n in kept if not has_prefix(n, anew)),
        missing=tuple(n for n in missing if not has_prefix(n, anew)),
        unexpected=tuple(origin[n] for n in surplus if not has_prefix(n, (*anew, *unused))),
        misshapen=tuple(m for n, m in misfits.items() if not has_prefix(n, anew)),
        cast=tuple(
            Cast(n, file[origin[n]].dtype, network[n].dtype)
            for n in network
            if n in origin
            and n not in misfits
            and not has_prefix(n, anew)
            and file[origin[n]].dtype != network[n].dtype
        ),
    )
    _check(report, renaming, strict=strict)
    cast = {item.name for item in report.cast}
    return Plan(
        tuple(Assignment(n, origin[n], network[n].dtype, n in cast) for n in report.loaded),
        (*fresh, *report.kept, *report.missing, *(m.name for m in report.misshapen)),
        report,
    )


def has_prefix(name: str, prefixes: Iterable[str]) -> bool:
    """Whether a dotted name is, or lies under, one of the prefixes; `""` covers every name.

    >>> has_prefix("fc.weight", ["fc"]), has_prefix("fc1.weight", ["fc"])
    (True, False)
    """
    return any(not p or name == p or name.startswith(p.rstrip(".") + ".") for p in prefixes)


def _matching(names: list[str], expressions: Iterable[str]) -> list[str]:
    patterns = [re.compile(expression) for expression in expressions]
    return [name for name in names if any(pattern.fullmatch(name) for pattern in patterns)]


def _misfits(
    network: Mapping[str, TensorInfo], file: Mapping[str, TensorInfo], origin: Mapping[str, str]
) -> dict[str, Misfit]:
    found: dict[str, Misfit] = {}
    for name, wanted in network.items():
        given = file.get(origin.get(name, ""))
        if given is not None and not _fits(given, wanted):
            found[name] = Misfit(name, given, wanted)
    return found


def _fits(given: TensorInfo, wanted: TensorInfo) -> bool:
    if given.shape != wanted.shape:
        return False
    kinds = {given.dtype, wanted.dtype}
    return len(kinds) == 1 or kinds <= FLOATS or kinds <= INTEGERS


def _replaced_prefixes(prefixes: Iterable[str], unfit: list[str]) -> tuple[str, ...]:
    """Those of the prefixes that do not fit the file as a whole."""
    return tuple(p for p in prefixes if p and any(has_prefix(name, (p,)) for name in unfit))


def _check(report: LoadReport, renaming: Renaming, *, strict: bool) -> None:
    what = report.source or "the file"
    if not report.loaded and (report.missing or report.misshapen):
        raise CheckpointMismatch(_message(f"no parameter of {what} fits the network", report))
    if strict and not report.complete:
        text = _message(f"{what} does not fit the network", report)
        if report.missing and any(name.startswith(EMA) for name in renaming.left_out):
            text += "\nThe file also has an averaged set (ema.*), which was not asked for."
        raise CheckpointMismatch(
            text + "\nCheck the model's name and arguments; strict=False loads what fits."
        )


def _message(first: str, report: LoadReport) -> str:
    lines = [first + f" ({len(report.loaded)} parameters would):"]
    for label, items in (
        ("missing", report.missing),
        ("unexpected", report.unexpected),
        ("misshapen", report.misshapen),
    ):
        if items:
            lines.append(f"  {len(items)} {label}: {_some(items, _SHOWN)}")
    return "\n".join(lines)


def _some(items: Iterable[object], limit: int) -> str:
    texts = [str(item) for item in items]
    return ", ".join(texts[:limit]) + (
        f" and {len(texts) - limit} more" if len(texts) > limit else ""
    )
