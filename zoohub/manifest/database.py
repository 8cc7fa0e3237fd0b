"""The local form of an index: an SQLite file, built from compiled models and never changed.

It is a cache: it does not travel and can be made again at any time. A model is one row with narrow
columns for filters and the place of its document, so that reading one entry touches one row and one
block of packed JSON. `database_build` writes it.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoohub.errors import ManifestError

# Part of the cache's file names: raise it when the tables change.
LAYOUT = 6


@dataclass(frozen=True)
class Summary:
    """What a table of models shows: one model and its default checkpoint, without the rest.

    `checkpoints` counts them; the fields from `checkpoint` on are the default checkpoint's, or
    the first one's where there is no default. `builder` and `arguments` are its network's.
    """

    model: str
    family: str
    task: str
    default: str | None = None
    family_default: bool = False
    checkpoints: int = 0
    parameter_count: int | None = None
    checkpoint: str | None = None
    format: str | None = None
    dataset: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    mindspore: str | None = None
    source: str | None = None
    declared: str | None = None
    size: int | None = None
    sha256: str | None = None
    licence: str | None = None
    builder: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    parameters: str | None = None
    urls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hit:
    """One meaning of a name: a model, and the checkpoint where the name means one. `firm`: of
    several files published under the name, this is the one it means by itself."""

    model: str
    checkpoint: str | None
    firm: bool = False


def normalise(name: str) -> str:
    """Lower case, `-` as `_`: the looser of the two ways in which names are compared."""
    return name.lower().replace("-", "_")


def name_key(name: str) -> int:
    """What names are looked up by: a small number, since most of them are URLs. Names that are
    loosely the same have the same; the few others that have it too are told apart by the text.
    """
    return zlib.crc32(normalise(name).encode())


class _Documents:
    """SQL's `unpack`. Neighbours share a block: the last one is kept for the next."""

    def __init__(self) -> None:
        self._last: tuple[int, bytes] = (-1, b"")

    def __call__(self, block: int, packed: bytes, start: int, length: int) -> str:
        last = self._last
        if last[0] != block:
            last = self._last = (block, zlib.decompress(packed))
        return last[1][start : start + length].decode()


# A model's JSON. Documents say most things twice, and what their neighbours say: they are packed
# in blocks, which takes a quarter of their size.
_DOCUMENT = "(SELECT unpack(b.id, b.packed, m.start, m.length) FROM blocks b WHERE b.id = m.block)"


class Database:
    """A built index, opened read-only. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # SQLite's URI: only these three characters have a meaning in its path.
        text = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        if os.sep == "\\":
            text = "/" + text.replace("\\", "/")
        try:
            # `immutable` skips locks and journals: the file is never written once it is there.
            self._connection = sqlite3.connect(
                f"file:{text}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            self._connection.create_function("unpack", 4, _Documents())
            self.meta: dict[str, str] = dict(self._rows("SELECT key, value FROM meta"))
        except sqlite3.Error as error:
            raise ManifestError(f"the compiled index {path} cannot be opened: {error}") from None

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _rows(self, query: str, values: Iterable[Any] = ()) -> Iterator[Any]:
        try:
            yield from self._connection.execute(query, tuple(values))
        except sqlite3.Error as error:
            raise ManifestError(f"the compiled index {self.path} is damaged: {error}") from None

    def count(self) -> int:
        """How many models there are."""
        return int(self.meta.get("models", 0))

    def hits(self, name: str, *, loose: bool = False) -> list[Hit]:
        """What a name means here, exactly, or `loose`ly: see `normalise`."""
        rows = self._rows(
            "SELECT DISTINCT n.name, m.name, n.checkpoint, n.firm "
            "FROM names n JOIN models m ON m.id = n.model "
            "WHERE n.key = ? ORDER BY m.name, n.checkpoint, n.firm DESC",
            (name_key(name),),
        )
        compare = normalise if loose else str
        wanted = compare(name)
        hits: dict[tuple[str, str | None], Hit] = {}
        for text, model, checkpoint, firm in rows:
            if compare(text) == wanted:
                hits.setdefault((model, checkpoint), Hit(model, checkpoint, bool(firm)))
        return list(hits.values())

    def has(self, model: str) -> bool:
        """Whether there is a model of that exact name."""
        return any(self._rows("SELECT 1 FROM models WHERE name = ?", (model,)))

    def document(self, model: str) -> str | None:
        """The JSON of the model of that exact name."""
        rows = self._rows(f"SELECT {_DOCUMENT} FROM models m WHERE name = ?", (model,))
        return next((row[0] for row in rows), None)

    def models(
        self,
        column: str,
        *,
        pattern: str | None = None,
        task: str | None = None,
        dataset: str | None = None,
        source: str | None = None,
        format: str | None = None,
        mindspore: str | None = None,
    ) -> Iterator[tuple[str, str]]:
        """(name, `document` or `summary`) of the models that fit all filters, by name."""
        clauses, values = ["1"], []
        if pattern is not None:
            clauses.append("m.name GLOB ?")
            values.append(pattern)
        if task is not None:
            clauses.append("m.task = ?")
            values.append(task)
        facets = []
        for name, value in (("dataset", dataset), ("publisher", source), ("format", format)):
            if value is not None:
                facets.append(f"f.{name} = ?")
                values.append(value.lower())
        if mindspore is not None:
            facets.append("(f.mindspore = ? OR f.mindspore GLOB ? || '.*')")
            values += [mindspore, mindspore]
        if facets:
            condition = " AND ".join(["f.model = m.id", *facets])
            clauses.append(f"EXISTS (SELECT 1 FROM facets f WHERE {condition})")
        shown = _DOCUMENT if column == "document" else f"m.{column}"
        query = f"SELECT m.name, {shown} FROM models m WHERE {' AND '.join(clauses)}"
        yield from self._rows(f"{query} ORDER BY m.id", values)

    def search(self, query: str, limit: int) -> Iterator[tuple[str, str]]:
        """(name, document) of the best matches of an FTS5 query, best first."""
        # Ranking every hit of a common word takes long in a large index: the first ones will do.
        # Documents are read for the best ones only, or sorting would carry them all.
        yield from self._rows(
            f"SELECT m.name, {_DOCUMENT} FROM (SELECT w.rowid AS id, w.score FROM "
            "(SELECT rowid, bm25(words, 10.0, 1.0) AS score FROM words WHERE words MATCH ? "
            "LIMIT 2000) w JOIN models m ON m.id = w.rowid "
            "ORDER BY w.score, length(m.name), m.name LIMIT ?) best "
            "JOIN models m ON m.id = best.id ORDER BY best.score, length(m.name), m.name",
            (query, limit),
        )

    def names_like(self, name: str, limit: int = 4_000) -> list[str]:
        """Names that might be meant by a misspelt one: those that share its first letters."""
        key = normalise(name)
        found: dict[str, None] = {}
        for length in (3, 1, 0):
            start = key[:length]
            rows = self._rows(
                "SELECT name FROM models WHERE name >= ? AND name < ? LIMIT ?",
                (start, start + "\U0010ffff", limit - len(found)),
            )
            found.update(dict.fromkeys(row[0] for row in rows))
            if len(found) >= limit:
                break
        return list(found)
