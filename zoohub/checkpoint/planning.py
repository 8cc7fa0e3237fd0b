"""Deciding, without touching a network, which tensor of a file goes into which parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zoohub.checkpoint.channels import can_adapt
from zoohub.checkpoint.dtypes import FLOATS, INTEGERS
from zoohub.checkpoint.layout import Layout, has_prefix
from zoohub.checkpoint.matching import match
from zoohub.checkpoint.naming import EMA, Renaming
from zoohub.checkpoint.position_table import PositionTable
from zoohub.checkpoint.position_tables import can_resize, find_table
from zoohub.checkpoint.report import Cast, LoadReport, Misfit, some
from zoohub.checkpoint.weights import TensorInfo
from zoohub.core.counting import counted
from zoohub.errors import CheckpointMismatch

_SHOWN = 10

__all__ = ["Assignment", "LoadReport", "Misfit", "Plan", "has_prefix", "plan_apply"]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One parameter's value: the network's `name` from the file's `source`, kept or cast.

    `channels` are the network's input channels where the file's first convolution has others,
    `table` is what follows the picture's size where the file's is another.
    """

    name: str
    source: str
    dtype: str
    cast: bool
    channels: int | None = None
    table: PositionTable | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What `cell.apply_plan` will do: assign, and initialise what is `fresh` (network's names)."""

    assignments: tuple[Assignment, ...]
    fresh: tuple[str, ...]
    report: LoadReport


@dataclass(frozen=True, slots=True)
class Leeway:
    """How a file's table may differ from the network's.

    - `replaced`, prefixes of the network's names whose shapes were asked to change (the head for
      `num_classes`, the stem for `in_channels`). A prefix is loaded whole where all of it fits
      the file, else initialised anew whole. Nothing is ever sliced: 1001 outputs do not go into
      1000; their head is replaced. Only a convolution over other than `channels` input channels
      is summed or repeated to them.
    - `unused`, prefixes of names (after renaming) that the file may have and the network not
      (the head, for a network built without one); `""` means any.
    - `constants`, regular expressions of the network's names whose value its constructor
      computes (anchors, strides): a file may lack them, and they stay as constructed.
    - `training_only`, prefixes of the network's names that nothing but training uses: a file may
      lack all of a prefix, which is initialised anew.
    - `tables`, what follows the picture's size where that was asked to differ from the file's: a
      table is resized, and one that the constructor computes stays as constructed.
    - not `strict`: what does not fit is skipped and reported.
    """

    replaced: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    training_only: tuple[str, ...] = ()
    channels: int | None = None
    tables: tuple[PositionTable, ...] = ()
    strict: bool = True


def plan_apply(
    network: Mapping[str, TensorInfo],
    file: Mapping[str, TensorInfo],
    leeway: Leeway | None = None,
    *,
    layout: Layout | None = None,
    renaming: Renaming | None = None,
    ema: bool = False,
    source: str = "",
) -> Plan:
    """Compare a network's table of parameters with a file's, and plan the assignment.

    Names, shapes and element types must agree, after `renaming` (see `matching.match`, which finds
    it within `layout` where it is not given). Exceptions, all of them in the report, are those of
    the `leeway`, and element types: floating types convert into each other, and so do integer
    types. `source` is named in messages.

    Raises:
        CheckpointMismatch: strict, and something is missing, unexpected or misshapen; names up to
            ten of each. Also, strict or not: two names collide, or no parameter fits at all.
    """
    leeway = leeway or Leeway()
    replaced, unused, channels = leeway.replaced, leeway.unused, leeway.channels
    if renaming is None:
        layouts = {"": layout or Layout()}
        renaming = match(file, network, layouts, ema=ema, source=source or "the file")
    origin = {new: old for old, new in renaming.names.items()}
    misfits = _misfits(network, file, origin)
    # What the constructor computes for the picture's size, the file has for another.
    computed = [
        name
        for name in origin
        if (name in misfits or name not in network) and _is_computed(name, leeway.tables)
    ]
    computed_old = [origin.pop(name) for name in computed]
    misfits = {name: misfit for name, misfit in misfits.items() if name not in computed}
    adapted = {
        name: misfits.pop(name)
        for name in list(misfits)
        if has_prefix(name, replaced) and _adaptable(misfits[name], channels)
    }
    resized = {
        name: misfits.pop(name)
        for name in list(misfits)
        if _resizable(misfits[name], find_table(leeway.tables, name))
    }
    constants = (*leeway.constants, *(t.names for t in leeway.tables if t.form == "computed"))
    kept = _matching([name for name in network if name not in origin], constants)
    absent = _absent_prefixes(leeway.training_only, origin)
    untrained = [n for n in network if n not in kept and has_prefix(n, absent)]
    excused = {*kept, *untrained}
    missing = [name for name in network if name not in origin and name not in excused]
    surplus = [new for new in origin if new not in network]
    anew = _replaced_prefixes(replaced, [*misfits, *missing, *surplus])
    loaded = [n for n in _without(network, anew) if n in origin and n not in misfits]
    types = [(n, file[origin[n]].dtype, network[n].dtype) for n in loaded]
    report = LoadReport(
        source=source,
        renamed=renaming.renamed,
        kept=_without(kept, anew),
        untrained=_without(untrained, anew),
        missing=_without(missing, anew),
        unexpected=tuple(origin[n] for n in _without(surplus, (*anew, *unused))),
        misshapen=tuple(misfits[n] for n in _without(misfits, anew)),
        adapted=tuple(adapted[n] for n in _without(adapted, anew)),
        resized=tuple(resized[n] for n in _without(resized, anew)),
        training_state=renaming.state,
        prefix=renaming.prefix,
        layout=renaming.layout,
        replaced=tuple(name for name in network if has_prefix(name, anew)),
        loaded=tuple(loaded),
        cast=tuple(Cast(*item) for item in types if item[1] != item[2]),
        left_out=(
            *renaming.left_out,
            *computed_old,
            *(old for new, old in origin.items() if has_prefix(new, anew)),
            *(origin[n] for n in _without(surplus, anew) if has_prefix(n, unused)),
        ),
    )
    _check(report, renaming, strict=leeway.strict)
    return _plan(report, origin, network, leeway)


def _plan(
    report: LoadReport,
    origin: Mapping[str, str],
    network: Mapping[str, TensorInfo],
    leeway: Leeway,
) -> Plan:
    cast = {item.name for item in report.cast}
    adapted = {item.name for item in report.adapted}
    resized = {item.name for item in report.resized}
    return Plan(
        tuple(
            Assignment(
                n,
                origin[n],
                network[n].dtype,
                n in cast,
                leeway.channels if n in adapted else None,
                find_table(leeway.tables, n) if n in resized else None,
            )
            for n in report.loaded
        ),
        (
            *report.replaced,
            *report.kept,
            *report.untrained,
            *report.missing,
            *(m.name for m in report.misshapen),
        ),
        report,
    )


def _without(names: Iterable[str], prefixes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if not has_prefix(name, prefixes))


def _adaptable(misfit: Misfit, channels: int | None) -> bool:
    kinds = {misfit.file.dtype, misfit.network.dtype}
    shapes = misfit.file.shape, misfit.network.shape
    return channels is not None and kinds <= FLOATS and can_adapt(*shapes, channels)


def _resizable(misfit: Misfit, table: PositionTable | None) -> bool:
    kinds = {misfit.file.dtype, misfit.network.dtype}
    shapes = misfit.file.shape, misfit.network.shape
    return table is not None and kinds <= FLOATS and can_resize(*shapes, table)


def _is_computed(name: str, tables: Iterable[PositionTable]) -> bool:
    table = find_table(tables, name)
    return table is not None and table.form == "computed"


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


def _absent_prefixes(prefixes: Iterable[str], origin: Iterable[str]) -> tuple[str, ...]:
    """Those of the prefixes of which the file has nothing."""
    names = list(origin)
    return tuple(p for p in prefixes if not any(has_prefix(name, (p,)) for name in names))


def _check(report: LoadReport, renaming: Renaming, *, strict: bool) -> None:
    what = report.source or "the file"
    if not report.loaded and (report.missing or report.misshapen):
        raise CheckpointMismatch(_message(f"no parameter of {what} fits the network", report))
    if strict and not report.complete:
        text = _message(f"{what} does not fit the network", report)
        if report.missing and any(name.startswith(EMA) for name in renaming.left_out):
            text += "\nThe file also has an averaged set (ema.*), which ema=True loads."
        raise CheckpointMismatch(
            text + "\nCheck the model's name and arguments; strict=False loads what fits."
        )


def _message(first: str, report: LoadReport) -> str:
    lines = [first + f" ({counted(len(report.loaded), 'parameter')} would):"]
    for label, items in (
        ("missing", report.missing),
        ("unexpected", report.unexpected),
        ("misshapen", report.misshapen),
    ):
        if items:
            lines.append(f"  {len(items)} {label}: {some(items, _SHOWN)}")
    return "\n".join(lines)
