"""Compiled models into the SQLite file that `database` reads."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from zoohub.errors import ManifestError
from zoohub.manifest.codec import dump
from zoohub.manifest.database import LAYOUT, name_key, pack
from zoohub.manifest.declared import declared_strength

_BATCH = 1_000

_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE models(id INTEGER PRIMARY KEY, name TEXT, task TEXT, summary TEXT, document BLOB);
CREATE TABLE names(key INTEGER, name TEXT, model INTEGER, checkpoint TEXT, firm INTEGER);
CREATE TABLE facets(model INTEGER, dataset TEXT, publisher TEXT, format TEXT, mindspore TEXT);
CREATE VIRTUAL TABLE words USING fts5(name, text, content='', tokenize='unicode61');
"""
_INDEXES = """
CREATE INDEX models_name ON models(name);
CREATE INDEX names_key ON names(key);
CREATE INDEX facets_model ON facets(model);
"""


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
        self.models.append((id, name, model["task"], dump(summarise(model)), pack(text)))
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
