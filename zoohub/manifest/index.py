"""The index as everything else sees it: one or several databases, consulted in order."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from zoohub.core.json_reader import parse_own
from zoohub.errors import AmbiguousReference, ManifestError, UnknownModel
from zoohub.manifest.choosing import (
    Locked,
    LockedSteps,
    Resolved,
    pinned,
    preferred,
    published,
)
from zoohub.manifest.database import Cells, Database, Hit, Order, Summary, What, normalise
from zoohub.manifest.reference import (
    MAX_REFERENCE,
    Reference,
    choose_checkpoint,
    closest,
    listed,
    readings,
)
from zoohub.manifest.tasks import translated

if TYPE_CHECKING:
    from zoohub.manifest.entry import Entry

__all__ = ["Index", "Layer", "Locked", "LockedSteps", "Resolved"]

Keyed = tuple[Cells, str, Cells]
Numbered = tuple[Cells, int, str, Cells]
Found: TypeAlias = "tuple[Entry, Reference, list[str] | None]"


@dataclass(frozen=True)
class Layer:
    """One index among several. Names in a layer that is not `trusted` never stand before
    another's: it came over the network, and nobody said that it may replace them."""

    name: str
    database: Database
    trusted: bool = True


class Index:
    """Every model known, from all layers. Made by `zoohub.manifest.open_index`.

    The first layer that holds a model wins whole. With a lock, only locked references resolve.
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        *,
        lock: Mapping[str, Locked | LockedSteps] | None = None,
        lock_name: str = "lock",
    ) -> None:
        self.layers = tuple(layer for layer in layers if layer.trusted) + tuple(
            layer for layer in layers if not layer.trusted
        )
        self._lock = lock
        self._lock_name = lock_name

    def __len__(self) -> int:
        """The number of models; an upper bound where several layers hold one name."""
        return sum(layer.database.count() for layer in self.layers)

    def resolve(self, reference: str) -> Resolved:
        """What a reference `NAME[@ID][#FORMAT]`, a published name or a source URL means.

        Exact names come first, then names in lower case with `-` as `_`; nothing is guessed.

        Raises:
            UnknownModel: nothing fits; names the closest.
            AmbiguousReference: several things fit; names them.
            ManifestError: a lock is in force and does not hold the reference.
        """
        if self._lock is None:
            return self._resolve(reference)
        locked = self._lock.get(reference)
        if locked is None:
            raise ManifestError(
                f"{reference!r} is not in {self._lock_name}, and a lock is in force; "
                f"add it with `zoohub lock` or unset ZOOHUB_LOCK"
            )
        return pinned(self._resolve(reference), locked, self._lock_name)

    def entry(self, model: str) -> Entry:
        """The entry of a model, by its name, an alias, its family's name or a published name.

        Raises:
            UnknownModel: nothing fits; names the closest.
            AmbiguousReference: several models fit; names them.
        """
        return self._with_locked_steps(self._find(model)[0])

    def models_called(self, name: str) -> builtins.list[str]:
        """The models whose own names are `name`, letters' case and `-` or `_` aside."""
        found: dict[str, None] = {}
        for number, layer in enumerate(self.layers):
            for hit in layer.database.hits(name, loose=True):
                same = hit.checkpoint is None and normalise(hit.model) == normalise(name)
                if same and not self._held_above(number, hit.model):
                    found[hit.model] = None
        return [*found]

    def list(
        self,
        pattern: str | None = None,
        *,
        task: str | None = None,
        dataset: str | None = None,
        source: str | None = None,
        format: str | None = None,
        mindspore: str | None = None,
        only: Iterable[str] | None = None,
        order: Order = "name",
    ) -> Iterator[Entry]:
        """Entries by name, one at a time, whose model fits `pattern` (`resnet*`) and that have
        a checkpoint which fits the other filters together.

        `source` is a publisher (`mindcv`, `mindyolo`, `models`, …); `mindspore` a version the
        checkpoint was published for: `2.3` fits `2.3` and `2.3.1`. `only` these models; `order`
        by size puts small files first, by metric the best figures.
        """
        filters = {
            "task": task,
            "dataset": dataset,
            "source": source,
            "format": format,
            "mindspore": mindspore,
        }
        for layer, (document,) in self._stream("document", pattern, filters, only, order):
            yield self._with_locked_steps(_decoded(document, layer))

    def summaries(
        self,
        pattern: str | None = None,
        *,
        only: Iterable[str] | None = None,
        order: Order = "name",
        **filters: str | None,
    ) -> Iterator[Summary]:
        """As `list`, but only what a table shows; some ten times cheaper."""
        wanted = self._stream("summary", pattern, filters, only, order)
        return map(Summary._make, (row for _, row in wanted))

    def documents(
        self, pattern: str | None = None, **filters: str | None
    ) -> Iterator[tuple[str, str]]:
        """As `list`, but each model as it is compiled: the name of its index and its JSON text.
        For writing an index that goes on elsewhere; `codec.decode_entry` makes it an entry."""
        for layer, (document,) in self._stream("document", pattern, filters):
            yield layer.name, document

    def models(self) -> Iterator[str]:
        """The names of all models, sorted."""
        for _, (name,) in self._stream("name", None, {}):
            yield name

    def search(self, text: str, limit: int = 50) -> builtins.list[Entry]:
        """The models whose names or descriptions hold all words of `text`, best first; those
        that hold any of them where none holds all."""
        left, meanings = translated(text[:500])
        words = "".join(c if c.isalnum() else " " for c in left).split()[:16]
        terms = [f'"{word}"*' for word in words]
        terms += ["(" + " OR ".join(f'"{word}"' for word in m) + ")" for m in meanings[:16]]
        if not terms:
            return []
        for joint in (" AND ", " OR "):
            query = joint.join(terms)
            found: dict[str, Entry] = {}
            for number, layer in enumerate(self.layers):
                for name, document in layer.database.search(query, limit):
                    if name not in found and not self._held_above(number, name):
                        found[name] = _decoded(document, layer)
            if found:
                return list(found.values())[:limit]
        return []

    def having(self, hashes: Iterable[str], names: Iterable[str]) -> builtins.list[str]:
        """The models that declare one of these full hashes, or that one of these published names
        or URLs means."""
        hashes, names, found = [*hashes], [*names], dict[str, None]()
        for layer in self.layers:
            found.update(dict.fromkeys(layer.database.having(hashes)))
            for name in names:
                found.update(dict.fromkeys(hit.model for hit in layer.database.hits(name)))
        return [*found]

    def _with_locked_steps(self, entry: Entry) -> Entry:
        """A pipeline as the lock has it, where one is in force."""
        locked = None if self._lock is None else self._lock.get(entry.model)
        if isinstance(locked, LockedSteps) and entry.steps:
            return replace(entry, steps=locked.steps)
        return entry

    def _stream(
        self,
        what: What,
        pattern: str | None,
        filters: Mapping[str, str | None],
        only: Iterable[str] | None = None,
        order: Order = "name",
    ) -> Iterator[tuple[Layer, Cells]]:
        wanted, filters = None if only is None else [*only], {**filters, "pattern": pattern}
        if len(self.layers) == 1:
            (layer,) = self.layers
            rows = layer.database.rows(what, filters, only=wanted, order=order)
            yield from zip(repeat(layer), rows)
            return
        import heapq

        keyed = [
            _numbered(number, layer.database.keyed(what, filters, only=wanted, order=order))
            for number, layer in enumerate(self.layers)
        ]
        for _, number, name, row in heapq.merge(*keyed, key=itemgetter(0, 1)):
            # A filter may hide the winning layer's model: it hides the others' too.
            if not self._held_above(number, name):
                yield self.layers[number], row

    def _held_above(self, number: int, model: str) -> bool:
        """Whether a layer before this one holds the model."""
        return any(layer.database.has(model) for layer in self.layers[:number])

    def _resolve(self, reference: str) -> Resolved:
        entry, reading, ids = self._find(reference)
        if ids is None:
            chosen = choose_checkpoint(entry, reading.id, reading.format)
            return Resolved(entry, chosen, reading != Reference(reading.name))
        named = [c for c in entry.checkpoints if c.id in ids]
        return Resolved(entry, published(reference, reading, entry, named), True)

    def _find(self, reference: str) -> Found:
        """The entry a reference means, how it was read, and the checkpoints its name stands for
        (None where it stands for the model)."""
        if not reference or len(reference) > MAX_REFERENCE or not reference.isprintable():
            raise UnknownModel(f"not a usable reference: {reference[:80]!r}")
        trusted = [layer for layer in self.layers if layer.trusted]
        for layers in (trusted, [layer for layer in self.layers if not layer.trusted]):
            for loose in (False, True):
                for reading in readings(reference):
                    found = self._read(reference, reading, layers, loose)
                    if found is not None:
                        return found
        found = self._find_older(reference)
        if found is not None:
            return found
        raise self._unknown(reference)

    def _find_older(self, reference: str) -> Found | None:
        """What a Hub UID or a file's name that is not in the index means by its pattern."""
        from zoohub.manifest.older_names import beginnings, same_elsewhere  # hardly ever needed

        if any(layer.database.hits(reference) for layer in self.layers):
            return None  # its model was replaced whole by an index before
        prefixes = [prefix for layer in self.layers for prefix in layer.database.prefixes]
        for name in same_elsewhere(reference, prefixes):
            found = self._read(reference, Reference(name), self.layers, False)
            if found is not None:
                return found
        for name in beginnings(reference):
            models = [m for m in self.models_called(name) if normalise(m) == normalise(name)]
            if len(models) == 1:
                return self._find(models[0])
        return None

    def _read(
        self, reference: str, reading: Reference, layers: Sequence[Layer], loose: bool
    ) -> Found | None:
        """What one reading of the reference means in these layers; None if nothing."""
        for layer in layers:
            number = self.layers.index(layer)
            hits = [
                hit
                for hit in layer.database.hits(reading.name, loose=loose)
                if not self._held_above(number, hit.model)
            ]
            if hits:
                return self._choose(reference, reading, layer, hits)
        return None

    def _choose(
        self, reference: str, reading: Reference, layer: Layer, hits: Sequence[Hit]
    ) -> Found:
        hits = preferred(reading, hits)
        models = sorted({hit.model for hit in hits})
        if len(models) > 1:
            candidates = (f"{h.model}@{h.checkpoint}" if h.checkpoint else h.model for h in hits)
            raise AmbiguousReference(
                f"{reference!r} names several models: {listed(candidates)}; name one of them"
            )
        text = layer.database.document(models[0])
        entry = _decoded(text or "{}", layer)
        ids = [hit.checkpoint for hit in hits]
        if None in ids:
            return entry, reading, None
        return entry, reading, [id for id in ids if id is not None]

    def _unknown(self, reference: str) -> UnknownModel:
        name = readings(reference)[-1].name
        candidates = [c for layer in self.layers for c in layer.database.names_like(name)]
        near = closest(name, candidates)
        hint = f"; closest are {', '.join(near)}" if near else ""
        return UnknownModel(
            f"no model is called {reference!r}{hint}. `zoohub search WORD` finds models by "
            "what they do"
        )


def _decoded(document: str, layer: Layer) -> Entry:
    # Imported where an entry is asked for: a list of names takes less time than its dataclasses.
    from zoohub.manifest.codec import decode_entry

    return decode_entry(parse_own(document), layer.name)


def _numbered(number: int, stream: Iterator[Keyed]) -> Iterator[Numbered]:
    for key, name, row in stream:
        yield key, number, name, row
