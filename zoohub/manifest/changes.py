"""What two versions of an index say differently: models, files, and above all hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from zoohub.core.json_reader import parse_own
from zoohub.manifest.compiled import CheckpointRow, ModelRow
from zoohub.manifest.database import Database


@dataclass(frozen=True)
class Change:
    """One checkpoint (`model@id`) whose `field` went from `old` to `new`."""

    reference: str
    field: str
    old: object
    new: object


@dataclass(frozen=True)
class Difference:
    """Models and checkpoints that only one side has, and fields that differ, all sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True)
class ChangedHash:
    """A URL whose declared hash is another one now."""

    url: str
    reference: str
    old: str
    new: str


def diff_indexes(old: Database, new: Database) -> Difference:
    """Compare two indexes model by model; memory grows with the differences only."""
    added: list[str] = []
    removed: list[str] = []
    changed: list[Change] = []
    for before, after in _paired(old.documents(), new.documents()):
        if before is None and after is not None:
            added.extend(_references(parse_own(after)))
        elif after is None and before is not None:
            removed.extend(_references(parse_own(before)))
        elif before != after and before is not None and after is not None:
            _compare(parse_own(before), parse_own(after), added, removed, changed)
    return Difference(tuple(added), tuple(removed), tuple(changed))


def _paired(
    old: Iterator[tuple[str, str]], new: Iterator[tuple[str, str]]
) -> Iterator[tuple[str | None, str | None]]:
    """The documents of two streams sorted by name, side by side."""
    left, right = next(old, None), next(new, None)
    while left or right:
        if right is None or (left is not None and left[0] < right[0]):
            yield left[1] if left else None, None
            left = next(old, None)
        elif left is None or right[0] < left[0]:
            yield None, right[1]
            right = next(new, None)
        else:
            yield left[1], right[1]
            left, right = next(old, None), next(new, None)


def _references(model: ModelRow) -> list[str]:
    name = model["model"]
    return [name, *(f"{name}@{c['id']}" for c in model.get("checkpoints", ()))]


def _compare(
    old: ModelRow,
    new: ModelRow,
    added: list[str],
    removed: list[str],
    changed: list[Change],
) -> None:
    name = new["model"]
    changed.extend(_fields(name, old, new))
    before = {c["id"]: c for c in old.get("checkpoints", ())}
    after = {c["id"]: c for c in new.get("checkpoints", ())}
    added.extend(f"{name}@{id}" for id in sorted(set(after) - set(before)))
    removed.extend(f"{name}@{id}" for id in sorted(set(before) - set(after)))
    for id in sorted(set(before) & set(after)):
        changed.extend(_fields(f"{name}@{id}", before[id], after[id]))


def _fields(reference: str, old: Mapping[str, object], new: Mapping[str, object]) -> list[Change]:
    return [
        Change(reference, key, old.get(key), new.get(key))
        for key in sorted({*old, *new} - {"checkpoints"})
        if old.get(key) != new.get(key)
    ]


def changed_hashes(known: Database, models: Iterable[ModelRow]) -> Iterator[ChangedHash]:
    """The URLs in `models` for which `known` declares another hash.

    Where one side has a fragment only, the fragment counts. A doubtful hash says nothing.
    """
    for model in models:
        for checkpoint in model.get("checkpoints", ()):
            declared = declared_hash(checkpoint)
            if declared is None:
                continue
            for url in checkpoint["sources"]:
                for hit in known.hits(url):
                    before = _known_hash(known, hit.model, hit.checkpoint)
                    if before is not None and not _agree(before, declared):
                        reference = f"{model['model']}@{checkpoint['id']}"
                        yield ChangedHash(url, reference, before, declared)


def declared_hash(checkpoint: CheckpointRow) -> str | None:
    """The hash or fragment that a compiled checkpoint declares; None where it is doubtful."""
    if checkpoint.get("doubtful_sha256") is not None or checkpoint.get("doubtful"):
        return None
    declared = checkpoint.get("sha256") or checkpoint.get("sha256_prefix")
    return None if declared is None else str(declared)


def _known_hash(known: Database, model: str, id: str | None) -> str | None:
    document = parse_own(known.document(model) or "{}")
    return next((declared_hash(c) for c in document.get("checkpoints", ()) if c["id"] == id), None)


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def changed_since_gone(
    gone: Mapping[str, str], models: Iterable[ModelRow]
) -> Iterator[ChangedHash]:
    """The files in `models` that come back with another hash than they left an index with."""
    for model in models if gone else ():
        for url, declared, id in _hashes(model):
            before = gone.get(url)
            if before is not None and not _agree(before, declared):
                yield ChangedHash(url, f"{model['model']}@{id}", before, declared)


def hashes_that_go(old: Iterable[tuple[str, str]], new: Iterator[ModelRow]) -> dict[str, str]:
    """URL -> hash of the files that models of the `old` index name and the same models of the
    `new` one do not. Both come sorted by name; only what goes is kept in memory."""
    going: dict[str, str] = {}
    after = next(new, None)
    for name, document in old:
        while after is not None and after["model"] < name:
            after = next(new, None)
        same = after is not None and after["model"] == name
        stays = {url for url, _, _ in _hashes(after)} if after is not None and same else set()
        going.update((u, h) for u, h, _ in _hashes(parse_own(document)) if u not in stays)
    return going


def _hashes(model: ModelRow) -> Iterator[tuple[str, str, str]]:
    """(URL, declared hash, id) of each file of a compiled model that declares one."""
    for checkpoint in model.get("checkpoints", ()):
        declared = declared_hash(checkpoint)
        for url in checkpoint["sources"] if declared else ():
            yield url, str(declared), checkpoint["id"]
