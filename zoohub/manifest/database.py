"""The local form of an index: an SQLite file, built from compiled models and never changed.

It is a cache: it does not travel and can be made again at any time. A model is one row with narrow
columns for filters and the place of its document, so that reading one entry touches one row and one
block of packed JSON. `database_build` writes it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from zoohub.core.json_reader import parse_own
from zoohub.errors import ManifestError
from zoohub.manifest.seal import check_seal

# Part of the cache's file names: raise it when the tables change.
LAYOUT = 9
# The builder of a pipeline, which is of several networks; no family is called so.
PIPELINE = "+"


class Summary(NamedTuple):
    """What a table of models shows: one model and its default checkpoint, without the rest; a row
    of the database as it is, of which there may be a million.

    `checkpoints` counts them; dataset, size in bytes, the leading metric's name (empty: it has
    none) and its figure, and the network's builder are the default checkpoint's, or the first one's
    where there is no default; a pipeline's builder is `PIPELINE`.
    """

    model: str
    task: str
    dataset: str | None
    metric: str
    figure: float | None
    size: int | None
    checkpoints: int
    builder: str | None


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


def hash_key(sha256: str) -> int:
    """What files are looked up by: as much of their hash as is one number to SQLite."""
    return int(sha256[:15], 16)


Order = Literal["name", "size", "metric"]
# What rows are ordered by, a model's name, and what was asked for of it.
Keyed = tuple[tuple[str | float, ...], str, str]
# The columns by which rows come, and are merged with those of other databases.
_ORDERS: dict[Order, tuple[str, ...]] = {
    "name": ("m.name",),
    "size": ("m.size IS NULL", "m.size", "m.name"),
    "metric": ("m.rank", "m.metric", "m.odd", "m.value", "m.name"),
}


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

Cells: TypeAlias = "tuple[Any, ...]"  # of a row, as SQLite gives them
# What rows of models can be asked for.
What = Literal["document", "name", "summary"]
_WHAT: dict[What, str] = {
    "document": _DOCUMENT,
    "name": "m.name",
    "summary": "m.name, m.task, m.dataset, m.metric, m.figure, m.size, m.checkpoints, m.builder",
}


class Database:
    """A built index, opened read-only. Safe to share between threads."""

    def __init__(self, path: Path, *, is_cache: bool = False) -> None:
        self.path, self.is_cache = path, is_cache
        # SQLite's URI: only these three characters have a meaning in its path.
        text = str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        if os.sep == "\\":
            text = "/" + text.replace("\\", "/")
        check_seal(path)
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

    def _rows(self, query: str, values: Iterable[str | int] = ()) -> Iterator[Any]:
        try:
            yield from self._connection.execute(query, tuple(values))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self.damage(error) from None

    def damage(self, error: Exception) -> ManifestError:
        """What to say of a damaged file. Where it is a cache, it goes, and is made again next."""
        hint = ""
        if self.is_cache:
            with contextlib.suppress(OSError):
                self.path.unlink()
                hint = "; it was removed, and is made again by the next command"
        return ManifestError(f"the compiled index {self.path} is damaged: {error}{hint}")

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

    def documents(self) -> Iterator[tuple[str, str]]:
        """(name, JSON) of all models, by name."""
        for _, name, (text,) in self.keyed("document", {}):
            yield name, text

    def keyed(
        self,
        what: What,
        filters: Mapping[str, str | None],
        *,
        only: Iterable[str] | None = None,
        order: Order = "name",
    ) -> Iterator[tuple[Cells, str, Cells]]:
        """As `rows`, each after its name and the key that the order is by."""
        width = len(_ORDERS[order])
        for row in self.rows(what, filters, only=only, order=order, keys=True):
            key = row[:width]
            yield tuple(0 if part is None else part for part in key), key[-1], row[width:]

    def rows(
        self,
        what: What,
        filters: Mapping[str, str | None],
        *,
        only: Iterable[str] | None = None,
        order: Order = "name",
        keys: bool = False,
    ) -> Iterator[Cells]:
        """What is asked for of the models that fit all filters (`pattern`, `task`, `dataset`,
        `source`, `format`, `mindspore`), in that order; `only` these models. With `keys` the
        order's columns stand before it.

        The order is an index's: no row is sorted here, and memory stays flat."""
        condition, values = _condition(filters)
        if only is not None:
            condition += " AND m.name IN (SELECT value FROM json_each(?))"
            values.append(json.dumps([*only]))
        columns = _ORDERS[order]
        by = "m.id" if order == "name" else ", ".join((*columns[:-1], "m.id"))
        asked = ", ".join((*columns, _WHAT[what])) if keys else _WHAT[what]
        return self._rows(f"SELECT {asked} FROM models m WHERE {condition} ORDER BY {by}", values)

    def having(self, hashes: Iterable[str]) -> list[str]:
        """The models that declare one of these full hashes."""
        found: dict[str, None] = {}
        for sha256 in hashes:
            rows = self._rows(
                "SELECT m.name FROM files f JOIN models m ON m.id = f.model WHERE f.key = ?",
                (hash_key(sha256),),
            )
            found.update(dict.fromkeys(row[0] for row in rows))
        return [*found]

    @property
    def prefixes(self) -> list[str]:
        """What MindSpore Hub's UIDs begin with here."""
        return list(parse_own(self.meta.get("prefixes", "[]")))

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


def _condition(filters: Mapping[str, str | None]) -> tuple[str, list[Any]]:
    """SQL for the filters of `Database.rows`, with its values."""
    clauses, values = ["1"], []
    if filters.get("pattern") is not None:
        clauses.append("m.name GLOB ?")
        values.append(filters["pattern"])
    if filters.get("task") is not None:
        clauses.append("m.task = ?")
        values.append(filters["task"])
    facets = []
    for column, name in (("dataset", "dataset"), ("publisher", "source"), ("format", "format")):
        value = filters.get(name)
        if value is not None:
            facets.append(f"f.{column} = ?")
            values.append(value.lower())
    version = filters.get("mindspore")
    if version is not None:
        facets.append("(f.mindspore = ? OR f.mindspore GLOB ? || '.*')")
        values += [version, version]
    if facets:
        condition = " AND ".join(["f.model = m.id", *facets])
        clauses.append(f"EXISTS (SELECT 1 FROM facets f WHERE {condition})")
    return " AND ".join(clauses), values
