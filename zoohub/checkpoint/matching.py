"""How a file names a network's parameters: found by trying on the network's own table.

A file may follow one of the publisher's naming schemes (a layout), and all its names may stand
behind one prefix that a wrapper left there (`network.`, `module.`). Of all combinations the one
is taken that gives most of the network's names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from zoohub.checkpoint.layout import Layout
from zoohub.checkpoint.naming import (
    Renamer,
    Renaming,
    is_averaged,
    not_averaged,
    repeats_averaged,
    unique,
)
from zoohub.checkpoint.training_state import is_slot, is_training_state, training_state
from zoohub.checkpoint.weights import TensorInfo
from zoohub.core.counting import counted
from zoohub.errors import CheckpointMismatch


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read a file: a layout, a prefix taken off, one put there, and what it gives."""

    layout: str
    prefix: str
    added: str
    hits: int

    @property
    def description(self) -> str:
        """For an error that names the candidates."""
        scheme = f", scheme {self.layout!r}" if self.layout else ""
        return f"{self.prefix!r}{scheme} ({counted(self.hits, 'parameter')})"


def match(
    file: Mapping[str, TensorInfo],
    network: Collection[str],
    layouts: Mapping[str, Layout],
    *,
    prefix: str | None = None,
    ema: bool = False,
    family: str | None = None,
    source: str = "the file",
) -> Renaming:
    """Find what the file's names mean, and which of them are none of the network's business.

    `prefix` says what stands before all names; None finds it. `ema` wants the moving average of
    the weights (`ema.X` for X) in their place. A file that gives no name of the network at all is
    an error where `family` names it.

    Raises:
        CheckpointMismatch: several prefixes fit equally well, two names become one, or there is no
            moving average.
    """
    tables = {name: Renamer(layout) for name, layout in layouts.items()} or {"": Renamer()}
    own = frozenset(network)
    reading = _Search(file, own, tables).best(prefix, source)
    if family is not None and not reading.hits:
        tried = ", ".join(name for name in layouts if name) or "none known"
        raise CheckpointMismatch(
            f"no naming scheme turns the file's names into {family}'s (tried: {tried}); "
            f"the file has {', '.join(list(file)[:3])}…"
        )
    to_own = tables[reading.layout]
    plain = _placed(file, own, reading, to_own)
    rest, behind = _elsewhere(file, own, reading, to_own, plain) if prefix is None else ({}, "")
    for places in (plain | rest, plain) if rest else (plain,):
        names = _averaged(file, own, reading, to_own, places, source) if ema else places
        wanted = {n: info for n, info in file.items() if n in names or n not in places}
        found = _sorted_out(wanted, own, reading, to_own, names)
        if places is not plain and own.issuperset(found.names.values()):
            found = replace(found, prefix=reading.prefix or behind)
            break
    twice = [name for name in found.names if name not in names and to_own(name) in own]
    if twice and prefix is None:
        raise CheckpointMismatch(
            f"{source} has {len(twice)} of the network's parameters twice, as {twice[0]!r} and "
            f"behind {reading.prefix!r}: choose with parameters={reading.prefix!r}"
        )
    return replace(
        found,
        names={old: new for old, new in found.names.items() if old not in twice},
        left_out=tuple(n for n in file if n not in found.names or n in twice),
    )


class _Search:
    """All readings of one file, compared."""

    def __init__(
        self, file: Collection[str], own: frozenset[str], tables: Mapping[str, Renamer]
    ) -> None:
        self.file, self.own, self.tables = file, own, tables

    def best(self, wanted: str | None, source: str) -> _Reading:
        """The reading that gives most of the network's names; the plainest among equals."""
        plain: list[_Reading] = []
        for layout in self.tables:
            plain.append(self.read(layout, wanted or "", ""))
            if plain[-1].hits == len(self.own):  # none can be better
                return plain[-1]
        best = max(plain, key=lambda reading: reading.hits)  # the first of equals
        strips = [""] if wanted is None else [wanted]
        if wanted is None:
            strips += [p for p in _prefixes(self.file, self.own) if not is_slot(p)]
        found = [best, *self.others(strips)]
        weights = [r for r in found if not is_averaged(r.prefix)]
        if any(reading.hits for reading in weights) or wanted is not None:
            found = weights if wanted is None else found
        most = max(reading.hits for reading in found)
        equals = [reading for reading in found if reading.hits == most]
        return _only(equals, source) if most > best.hits else best

    def others(self, strips: list[str]) -> Iterator[_Reading]:
        """Readings with prefixes."""
        adds = ["", *_prefixes(self.own, self.own)]
        for layout in self.tables:
            for prefix in strips:
                for added in adds:
                    if prefix or added:
                        yield self.read(layout, prefix, added)

    def read(self, layout: str, prefix: str, added: str) -> _Reading:
        """What one combination gives."""
        to_own, length = self.tables[layout], len(prefix)
        given = {added + to_own(n[length:]) for n in self.file if n.startswith(prefix)}
        return _Reading(layout, prefix, added, len(given & self.own))


def _prefixes(names: Collection[str], own: Collection[str]) -> list[str]:
    """Prefixes, each up to a dot, that at least half as many names have as the network has."""
    counts: Counter[str] = Counter()
    for name in names:
        counts.update(name[: place + 1] for place, sign in enumerate(name) if sign == ".")
    return [prefix for prefix, count in counts.items() if 2 * count >= max(len(own), 2)]


def _only(equals: list[_Reading], source: str) -> _Reading:
    """The plainest of equally good readings.

    Raises:
        CheckpointMismatch: there are several that differ in more than plainness.
    """
    prefixes = {reading.prefix for reading in equals}
    # `grad_acc.net.` and `net.moment1.` repeat what is under `net.`.
    plain = {
        p
        for p in prefixes
        if not any(q and q != p and (p.endswith(q) or p.startswith(q)) for q in prefixes)
    }
    candidates = [reading for reading in equals if reading.prefix in plain]
    if len(plain) > 1:
        shown = " or ".join(reading.description for reading in candidates[:5])
        raise CheckpointMismatch(
            f"{source} has several sets of names that fit the network: {shown}. "
            f"Choose one with parameters={candidates[0].prefix!r}"
        )
    return min(candidates, key=lambda reading: len(reading.added))


def _placed(
    file: Collection[str], own: frozenset[str], reading: _Reading, to_own: Renamer
) -> dict[str, str]:
    """The file's names that have a place in the network, and their place."""
    inside: dict[str, str] = {}
    for name in file:
        stem = name.removeprefix(reading.prefix)
        if stem not in own and (is_training_state(stem) or to_own.drops(stem)):
            continue
        if name.startswith(reading.prefix):
            new = to_own(stem)
            new = reading.added + new if reading.added + new in own else new
            if new in own:
                inside[name] = new
    unique(inside)
    # A wrapper around a part of the network leaves the rest of the names alone.
    taken = frozenset(inside.values())
    outside = {n: to_own(n) for n in file if n not in inside and not is_training_state(n)}
    return inside | unique({n: new for n, new in outside.items() if new in own - taken})


def _elsewhere(
    file: Collection[str],
    own: frozenset[str],
    reading: _Reading,
    to_own: Renamer,
    placed: Mapping[str, str],
) -> tuple[dict[str, str], str]:
    """The places of the network's other names, if exactly those stand behind one prefix more.

    MindSpore's `auto_prefix` leaves so what no optimiser holds: `network.bn.moving_mean` beside
    `bn.gamma`.
    """
    missing = own.difference(placed.values())
    groups: dict[str, dict[str, str]] = {}
    for name in file if missing else ():
        for place in (i for i, sign in enumerate(name) if sign == "."):
            new = reading.added + to_own(name[place + 1 :])
            if name not in placed and new in missing:
                groups.setdefault(name[: place + 1], {})[name] = new
    found = [
        (group, prefix)
        for prefix, group in groups.items()
        if len(group) == len(missing) == len(set(group.values()))
        and not (is_slot(prefix) or is_averaged(prefix))
        and all(
            name in group or is_training_state(name.removeprefix(prefix))
            for name in file
            if name.startswith(prefix)
        )
    ]
    return found[0] if len(found) == 1 else ({}, "")


def _averaged(
    file: Collection[str],
    own: frozenset[str],
    reading: _Reading,
    to_own: Renamer,
    names: dict[str, str],
    source: str,
) -> dict[str, str]:
    """The places of the moving average, and of those weights that have none."""
    sets: list[dict[str, str]] = []
    for prefix in filter(is_averaged, _prefixes(file, ())):
        for start in {prefix, f"{prefix}{reading.prefix}"}:
            inside = [name for name in file if name.startswith(start)]
            sets.append(_placed(inside, own, replace(reading, prefix=start), to_own))
    best = max(sets, key=len, default={})
    if not best:
        raise not_averaged(source)
    taken = frozenset(best.values())
    return {n: new for n, new in names.items() if new not in taken} | best


def _bare(name: str) -> str:
    """The name without the prefix of a moving average."""
    ends = (place + 1 for place, character in enumerate(name) if character == ".")
    return next((name[end:] for end in ends if is_averaged(name[:end])), name)


def _sorted_out(
    file: Mapping[str, TensorInfo],
    own: frozenset[str],
    reading: _Reading,
    to_own: Renamer,
    names: dict[str, str],
) -> Renaming:
    """What has no place in the network: left out where that is known to be right."""
    leftover = [name for name in file if name not in names]
    if not leftover:
        in_order = unique({name: names[name] for name in file})
        return Renaming(in_order, (), (), reading.prefix, reading.added, reading.layout)
    known = {*file, *own, *(name.removeprefix(reading.prefix) for name in file)}
    averaged = {name for name in leftover if repeats_averaged(name, known)}
    state = training_state(
        [n for n in leftover if n not in averaged],
        [_bare(n) for n in names],  # slots repeat the plain names, whichever set is taken
        file,
        file,
        reading.prefix,
    )
    surplus: dict[str, str] = {}
    for name in leftover:
        stem = name.removeprefix(reading.prefix)
        wanted = name not in averaged and name not in state
        if wanted and not (to_own.drops(stem) or to_own.drops(name)):
            new = reading.added + to_own(stem)
            surplus[name] = f"{reading.prefix}{name}" if new in own else new
    result = unique({n: (names | surplus)[n] for n in file if n in names or n in surplus})
    return Renaming(
        result,
        tuple(name for name in file if name not in result),
        tuple(name for name in file if name in state),
        reading.prefix,
        reading.added,
        reading.layout,
    )
