"""The local form of an index: an SQLite file, built from compiled models and never changed.

It is a cache: it does not travel and can be made again at any time. A model is one row with its
document as JSON, so that reading one entry touches one row, beside narrow columns for filters.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from zoohub.errors import ManifestError
from zoohub.manifest.codec import dump
from zoohub.manifest.declared import declared_strength

# Part of the cache's file names: raise it when the tables change.
LAYOUT = 4
_BATCH = 1_000

_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE models(id INTEGER PRIMARY KEY, name TEXT, task TEXT, summary TEXT, document TEXT);
CREATE TABLE names(key INTEGER, name TEXT, model INTEGER, checkpoint TEXT, firm INTEGER);
CREATE TABLE facets(model INTEGER, dataset TEXT, publisher TEXT, format TEXT, mindspore TEXT);
CREATE VIRTUAL TABLE words USING fts5(name, text, content='', tokenize='unicode61');
"""
_INDEXES = """
CREATE INDEX models_name ON models(name);
CREATE INDEX names_key ON names(key);
CREATE INDEX facets_model ON facets(model);
"""


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


def summarise(model: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Summary` that are not empty, from a compiled model."""
    checkpoints = model.get("checkpoints") or []
    default = model.get("default")
    chosen = next((c for c in checkpoints if c["id"] == default), None)
    chosen = chosen or (checkpoints[0] if checkpoints else {})
    network = chosen["network"] if "network" in chosen else model.get("network")
    records: Any = chosen.get("records") or ({},)
    fields = {
        **{key: model.get(key) for key in ("model", "family", "task", "default")},
        "family_default": model.get("family_default"),
        "checkpoints": len(checkpoints),
        "parameter_count": model.get("parameter_count"),
        "checkpoint": chosen.get("id"),
        **{key: chosen.get(key) for key in ("format", "dataset", "metrics", "mindspore")},
        **{key: chosen.get(key) for key in ("size", "sha256", "licence")},
        "source": chosen.get("publisher") or records[0].get("publisher"),
        "declared": declared_strength(chosen) if chosen else None,
        **{key: (network or {}).get(key) for key in ("builder", "arguments", "parameters")},
        "urls": chosen.get("sources"),
    }
    return {key: value for key, value in fields.items() if value not in (None, False, {}, [])}


def build_database(
    path: Path, models: Iterable[Mapping[str, Any]], meta: Mapping[str, str | int | None]
) -> int:
    """Write a new database of checked, sorted models to `path`; returns the number of models.

    Memory does not grow with the number of models: rows are written as they come.

    Raises:
        ManifestError: SQLite lacks its full-text search, or the disk is full or unwritable.
    """
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # Nobody reads the file before it is whole, so a crash may leave rubbish behind.
            connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
            connection.executescript("PRAGMA cache_size=-64000; PRAGMA temp_store=FILE;")
            connection.executescript(_TABLES)
            connection.execute("BEGIN")
            count = _insert(connection, models)
            connection.executemany(
                "INSERT INTO meta VALUES(?, ?)",
                [(key, str(value)) for key, value in meta.items() if value is not None]
                + [("layout", str(LAYOUT)), ("models", str(count))],
            )
            connection.execute("COMMIT")
            connection.executescript(_INDEXES)
            connection.execute("PRAGMA optimize")
        return count
    except sqlite3.Error as error:
        raise ManifestError(f"the index cannot be built at {path}: {error}") from None


def _insert(connection: sqlite3.Connection, models: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    rows = _Rows()
    for count, model in enumerate(models, start=1):
        rows.add(count, model)
        if len(rows.models) >= _BATCH:
            rows.flush(connection)
    rows.flush(connection)
    return count


class _Rows:
    """Rows waiting to be written: a thousand models at a time are twice as quick as one."""

    def __init__(self) -> None:
        self.models: list[tuple[Any, ...]] = []
        self.names: list[tuple[Any, ...]] = []
        self.facets: list[tuple[Any, ...]] = []
        self.words: list[tuple[Any, ...]] = []

    def add(self, id: int, model: Mapping[str, Any]) -> None:
        name = model["model"]
        text = getattr(model, "text", None) or dump(model)
        self.models.append((id, name, model["task"], dump(summarise(model)), text))
        for (text, checkpoint), firm in names_of(model).items():
            self.names.append((name_key(text), text, id, checkpoint, firm))
        facets = facets_of(model)
        self.facets.extend((id, *facet) for facet in facets)
        self.words.append((id, f"{spaced(name)} {name}", _words(model, facets)))

    def flush(self, connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT INTO models VALUES(?, ?, ?, ?, ?)", self.models)
        connection.executemany("INSERT INTO names VALUES(?, ?, ?, ?, ?)", self.names)
        connection.executemany("INSERT INTO facets VALUES(?, ?, ?, ?, ?)", self.facets)
        connection.executemany("INSERT INTO words(rowid, name, text) VALUES(?, ?, ?)", self.words)
        for rows in (self.models, self.names, self.facets, self.words):
            rows.clear()


def spaced(name: str) -> str:
    """A name's parts, so that `resnet 50` finds it too.

    >>> spaced("resnet50_thor")
    'resnet 50 thor resnet50 thor'
    """
    words = name.replace("_", " ")
    parts = [words[:1]]
    for before, char in pairwise(words):
        if before.isdigit() != char.isdigit() and " " not in (before, char):
            parts.append(" ")
        parts.append(char)
    return f"{''.join(parts)} {words}"


def names_of(model: Mapping[str, Any]) -> dict[tuple[str, str | None], bool]:
    """Every text that means this model or one of its checkpoints: (text, checkpoint id) -> firm.

    That is its name, its aliases, its family's name where it is the default, and the published
    names and URLs of its checkpoints. A name that several files share is firm for the one that
    the model's `published` gives.
    """
    names: dict[tuple[str, str | None], bool] = {(model["model"], None): False}
    if model.get("family_default"):
        names[(model["family"], None)] = False
    for alias in model.get("aliases") or ():
        names[(alias, None)] = False
    for checkpoint in model.get("checkpoints") or ():
        id = checkpoint["id"]
        for source in checkpoint["sources"]:
            names[(source, id)] = False
        for record in checkpoint.get("records") or ():
            names[(record["url"], id)] = False
            names[(record["uid"], id)] = False
    for name, id in (model.get("published") or {}).items():
        names[(name, id)] = True
    return names


def facets_of(model: Mapping[str, Any]) -> list[tuple[str | None, ...]]:
    """The distinct (dataset, publisher, format, MindSpore version) of a model's checkpoints."""
    facets: dict[tuple[str | None, ...], None] = {}
    for checkpoint in model.get("checkpoints") or ():
        format, publisher = checkpoint["format"], checkpoint.get("publisher")
        for item in (checkpoint, *(checkpoint.get("records") or ())):
            source = item.get("publisher") or publisher
            facets[item.get("dataset"), source, format, item.get("mindspore")] = None
    return [(_lower(d), _lower(p), format, version) for d, p, format, version in facets]


def _lower(text: str | None) -> str | None:
    return text and text.lower()


def _words(model: Mapping[str, Any], facets: list[tuple[str | None, ...]]) -> str:
    """What full-text search finds a model by, apart from its name."""
    words: dict[str, None] = dict.fromkeys(
        [model["family"], model["task"].replace("-", " "), *(model.get("aliases") or ())]
    )
    words.update(dict.fromkeys([model.get("description") or ""]))
    for facet in facets:
        words.update(dict.fromkeys(word for word in facet[:3] if word))
    for checkpoint in model.get("checkpoints") or ():
        words[checkpoint["id"]] = None
        words[(checkpoint.get("task") or "").replace("-", " ")] = None
        words[checkpoint.get("note") or ""] = None
        for record in checkpoint.get("records") or ():
            words[record["uid"].rsplit("/", 1)[-1]] = None
    return " ".join(word.replace("_", " ") for word in words if word)


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
        rows = self._rows("SELECT document FROM models WHERE name = ?", (model,))
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
        query = f"SELECT m.name, m.{column} FROM models m WHERE {' AND '.join(clauses)}"
        yield from self._rows(f"{query} ORDER BY m.id", values)

    def search(self, query: str, limit: int) -> Iterator[tuple[str, str]]:
        """(name, document) of the best matches of an FTS5 query, best first."""
        # Ranking every hit of a common word takes long in a large index: the first ones will do.
        # Documents are read for the best ones only, or sorting would carry them all.
        yield from self._rows(
            "SELECT m.name, m.document FROM (SELECT w.rowid AS id, w.score FROM "
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
