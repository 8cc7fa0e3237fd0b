"""What two versions of an index say differently: models, files, and above all hashes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zoohub.manifest.database import Database


@dataclass(frozen=True)
class Change:
    """One checkpoint (`model@id`) whose `field` went from `old` to `new`."""

    reference: str
    field: str
    old: Any
    new: Any


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
    for before, after in _paired(old.models("document"), new.models("document")):
        if before is None and after is not None:
            added.extend(_references(json.loads(after)))
        elif after is None and before is not None:
            removed.extend(_references(json.loads(before)))
        elif before != after and before is not None and after is not None:
            _compare(json.loads(before), json.loads(after), added, removed, changed)
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


def _references(model: Mapping[str, Any]) -> list[str]:
    name = model["model"]
    return [name, *(f"{name}@{c['id']}" for c in model.get("checkpoints", ()))]


def _compare(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
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


def _fields(reference: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    return [
        Change(reference, key, old.get(key), new.get(key))
        for key in sorted({*old, *new} - {"checkpoints"})
        if old.get(key) != new.get(key)
    ]


def changed_hashes(known: Database, models: Iterable[Mapping[str, Any]]) -> Iterator[ChangedHash]:
    """The URLs in `models` for which `known` declares another hash.

    Where one side has a fragment only, the fragment counts. A doubtful hash says nothing.
    """
    for model in models:
        for checkpoint in model.get("checkpoints", ()):
            declared = _declared(checkpoint)
            if declared is None:
                continue
            for url in checkpoint["sources"]:
                for hit in known.hits(url):
                    before = _known_hash(known, hit.model, hit.checkpoint)
                    if before is not None and not _agree(before, declared):
                        reference = f"{model['model']}@{checkpoint['id']}"
                        yield ChangedHash(url, reference, before, declared)


def _declared(checkpoint: Mapping[str, Any]) -> str | None:
    if checkpoint.get("doubtful_sha256") is not None or checkpoint.get("doubtful"):
        return None
    declared = checkpoint.get("sha256") or checkpoint.get("sha256_prefix")
    return None if declared is None else str(declared)


def _known_hash(known: Database, model: str, id: str | None) -> str | None:
    document = json.loads(known.document(model) or "{}")
    return next((_declared(c) for c in document.get("checkpoints", ()) if c["id"] == id), None)


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
