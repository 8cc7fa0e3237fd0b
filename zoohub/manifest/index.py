"""The index as everything else sees it: one or several databases, consulted in order."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from zoohub.errors import AmbiguousReference, ManifestError, UnknownModel
from zoohub.manifest.codec import decode_entry
from zoohub.manifest.database import Database, Hit, Summary
from zoohub.manifest.entry import Checkpoint, Entry
from zoohub.manifest.reference import (
    MAX_REFERENCE,
    Reference,
    choose_checkpoint,
    closest,
    listed,
    readings,
)


@dataclass(frozen=True)
class Resolved:
    """What a reference means. `explicit` says whether it named the checkpoint itself, by
    `@ID`, `#FORMAT`, a published name or a URL, rather than leaving it to the default."""

    entry: Entry
    checkpoint: Checkpoint | None
    explicit: bool


@dataclass(frozen=True)
class Locked:
    """What a lock file says of one reference."""

    url: str
    sha256: str
    size: int | None


Found = tuple[Entry, Reference, "list[str] | None"]


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
        lock: Mapping[str, Locked] | None = None,
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
        return _pinned(self._resolve(reference), locked, self._lock_name)

    def entry(self, model: str) -> Entry:
        """The entry of a model, by its name, an alias, its family's name or a published name.

        Raises:
            UnknownModel: nothing fits; names the closest.
            AmbiguousReference: several models fit; names them.
        """
        return self._find(model)[0]

    def list(
        self,
        pattern: str | None = None,
        *,
        task: str | None = None,
        dataset: str | None = None,
        source: str | None = None,
        format: str | None = None,
        mindspore: str | None = None,
    ) -> Iterator[Entry]:
        """Entries by name, one at a time, whose model fits `pattern` (`resnet*`) and that have
        a checkpoint which fits the other filters together.

        `source` is a publisher (`mindcv`, `mindyolo`, `models`, …); `mindspore` a version the
        checkpoint was published for: `2.3` fits `2.3` and `2.3.1`.
        """
        filters = {
            "task": task,
            "dataset": dataset,
            "source": source,
            "format": format,
            "mindspore": mindspore,
        }
        for layer, document in self._stream("document", pattern, filters):
            yield decode_entry(json.loads(document), layer.name)

    def summaries(self, pattern: str | None = None, **filters: str | None) -> Iterator[Summary]:
        """As `list`, but only what a table shows; several times cheaper."""
        for _, text in self._stream("summary", pattern, filters):
            fields = json.loads(text)
            fields["urls"] = tuple(fields.get("urls", ()))
            yield Summary(**fields)

    def documents(
        self, pattern: str | None = None, **filters: str | None
    ) -> Iterator[tuple[str, str]]:
        """As `list`, but each model as it is compiled: the name of its index and its JSON text.
        For writing an index that goes on elsewhere; `codec.decode_entry` makes it an entry."""
        for layer, document in self._stream("document", pattern, filters):
            yield layer.name, document

    def models(self) -> Iterator[str]:
        """The names of all models, sorted."""
        for layer, text in self._stream("name", None, {}):
            del layer
            yield text

    def search(self, text: str, limit: int = 50) -> builtins.list[Entry]:
        """The models whose names or descriptions hold all words of `text`, best first; those
        that hold any of them where none holds all."""
        words = "".join(c if c.isalnum() else " " for c in text[:500]).split()[:16]
        if not words:
            return []
        for joint in (" ", " OR "):
            query = joint.join(f'"{word}"*' for word in words)
            found: dict[str, Entry] = {}
            for number, layer in enumerate(self.layers):
                for name, document in layer.database.search(query, limit):
                    if name not in found and not self._held_above(number, name):
                        found[name] = decode_entry(json.loads(document), layer.name)
            if found:
                return list(found.values())[:limit]
        return []

    def _stream(
        self, column: str, pattern: str | None, filters: Mapping[str, str | None]
    ) -> Iterator[tuple[Layer, str]]:
        streams = [
            layer.database.models(column, pattern=pattern, **filters) for layer in self.layers
        ]
        if len(streams) == 1:
            for _, text in streams[0]:
                yield self.layers[0], text
            return
        import heapq

        keyed = [_numbered(number, stream) for number, stream in enumerate(streams)]
        for name, number, text in heapq.merge(*keyed):
            # A filter may hide the winning layer's model: it hides the others' too.
            if not self._held_above(number, name):
                yield self.layers[number], text

    def _held_above(self, number: int, model: str) -> bool:
        """Whether a layer before this one holds the model."""
        return any(layer.database.has(model) for layer in self.layers[:number])

    def _resolve(self, reference: str) -> Resolved:
        entry, reading, ids = self._find(reference)
        if ids is None:
            chosen = choose_checkpoint(entry, reading.id, reading.format)
            return Resolved(entry, chosen, reading != Reference(reading.name))
        named = [c for c in entry.checkpoints if c.id in ids]
        return Resolved(entry, _published(reference, reading, entry, named), True)

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
        raise self._unknown(reference)

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
        hits = _preferred(reading, hits)
        models = sorted({hit.model for hit in hits})
        if len(models) > 1:
            candidates = (f"{h.model}@{h.checkpoint}" if h.checkpoint else h.model for h in hits)
            raise AmbiguousReference(
                f"{reference!r} names several models: {listed(candidates)}; name one of them"
            )
        text = layer.database.document(models[0])
        entry = decode_entry(json.loads(text or "{}"), layer.name)
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


def _numbered(number: int, stream: Iterator[tuple[str, str]]) -> Iterator[tuple[str, int, str]]:
    for name, text in stream:
        yield name, number, text


def _preferred(reading: Reference, hits: Sequence[Hit]) -> Sequence[Hit]:
    """A model's own name stands before another's alias of the same text; of several files with
    one published name, the firm one before the others, unless another format is asked for."""
    own = [hit for hit in hits if hit.model == reading.name and hit.checkpoint is None]
    firm = [hit for hit in hits if hit.firm] if reading.format in (None, "ckpt") else []
    return own or firm or hits


def _published(
    reference: str, reading: Reference, entry: Entry, named: list[Checkpoint]
) -> Checkpoint:
    """Which of the files published under one name: the format asked for, else the .ckpt; of
    several, the one the entry prefers, which is the model's default or the alias' owner."""
    if reading.id is not None:
        raise UnknownModel(f"{reference!r}: {reading.name!r} already names a checkpoint")
    wanted = reading.format
    found = [c for c in named if c.format == (wanted or "ckpt")]
    if not found and wanted is None:
        found = named
    if not found:
        formats = ", ".join(sorted({c.format for c in named}))
        raise UnknownModel(f"{reading.name!r} has no {wanted} file; it has {formats}")
    if len(found) > 1:
        default = [c for c in found if c.id == entry.default]
        found = default or found
    if len(found) > 1:
        raise AmbiguousReference(
            f"{reference!r} fits several checkpoints: "
            f"{listed(c.reference for c in found)}; name one of them"
        )
    return found[0]


def _pinned(resolved: Resolved, locked: Locked, lock_name: str) -> Resolved:
    """The resolved checkpoint with the lock's URL, hash and size in force.

    Raises:
        ManifestError: the index declares another full hash for what is locked.
    """
    checkpoint = resolved.checkpoint
    if checkpoint is None:
        return resolved
    if checkpoint.sha256 is not None and checkpoint.sha256 != locked.sha256:
        raise ManifestError(
            f"{checkpoint.reference}: {lock_name} has sha256 {locked.sha256}, the index has "
            f"{checkpoint.sha256}; the file was replaced. Write the lock anew if that is meant"
        )
    pinned: dict[str, Any] = {
        "sources": (locked.url, *(s for s in checkpoint.sources if s != locked.url)),
        "sha256": locked.sha256,
        "declared": "sha256",
        "doubtful_sha256": None,
    }
    if locked.size is not None:
        pinned["size"] = locked.size
    return replace(resolved, checkpoint=replace(checkpoint, **pinned))
