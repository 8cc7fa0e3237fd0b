"""Compiled models into the SQLite file that `database` reads."""

from __future__ import annotations

import contextlib
import gc
import sqlite3
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from zoohub.errors import ManifestError
from zoohub.manifest.codec import dump
from zoohub.manifest.database import LAYOUT, name_key
from zoohub.manifest.declared import declared_strength

_BATCH = 1_000  # models
_BATCH_BYTES = 32 << 20
_BLOCK_BYTES = 64 << 10  # what one entry costs to read
_AHEAD = 2

_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE blocks(id INTEGER PRIMARY KEY, packed BLOB);
CREATE TABLE models(
    id INTEGER PRIMARY KEY, name TEXT, task TEXT, summary TEXT,
    block INTEGER, start INTEGER, length INTEGER
);
CREATE TABLE names(key INTEGER, name TEXT, model INTEGER, checkpoint TEXT, firm INTEGER);
CREATE TABLE facets(model INTEGER, dataset TEXT, publisher TEXT, format TEXT, mindspore TEXT);
CREATE VIRTUAL TABLE words USING fts5(name, text, content='', tokenize='unicode61');
"""
_INDEXES = """
CREATE INDEX models_name ON models(name);
CREATE INDEX names_key ON names(key);
CREATE INDEX facets_model ON facets(model);
"""

_OF_MODEL = ("model", "family", "task", "default", "family_default", "parameter_count")
_OF_CHECKPOINT = ("format", "dataset", "metrics", "mindspore", "size", "sha256", "licence")


def summarise(model: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Summary` that are not empty, from a compiled model."""
    checkpoints = model.get("checkpoints") or []
    default = model.get("default")
    chosen = next((c for c in checkpoints if c["id"] == default), None)
    chosen = chosen or (checkpoints[0] if checkpoints else {})
    network = chosen["network"] if "network" in chosen else model.get("network")
    records: Any = chosen.get("records") or ({},)
    fields = {key: model.get(key) for key in _OF_MODEL}
    fields["checkpoints"] = len(checkpoints)
    fields["checkpoint"] = chosen.get("id")
    fields.update((key, chosen.get(key)) for key in _OF_CHECKPOINT)
    fields["source"] = chosen.get("publisher") or records[0].get("publisher")
    fields["declared"] = declared_strength(chosen) if chosen else None
    if network:
        fields.update((key, network.get(key)) for key in ("builder", "arguments", "parameters"))
    fields["urls"] = chosen.get("sources")
    return {key: value for key, value in fields.items() if value or type(value) is int}


def build_database(
    path: Path, models: Iterable[Mapping[str, Any]], meta: Mapping[str, str | int | None]
) -> int:
    """Write a new database of checked, sorted models to `path`; returns the number of models.

    Memory does not grow with the number of models: rows are written as they come.

    Raises:
        ManifestError: SQLite lacks its full-text search or its JSON, or the disk is full or
            unwritable.
    """
    try:
        with contextlib.closing(
            sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        ) as connection:
            # Nobody reads the file before it is whole, so a crash may leave rubbish behind.
            connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;")
            connection.executescript("PRAGMA cache_size=-64000; PRAGMA temp_store=FILE;")
            connection.executescript(_TABLES)
            connection.execute("BEGIN")
            with _without_collector():
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


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing here makes cycles; to look for them among millions of short-lived dicts would take a
    tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _insert(connection: sqlite3.Connection, models: Iterable[Mapping[str, Any]]) -> int:
    """Make rows here and write them in a thread, which needs the interpreter for none of them."""
    count = 0
    rows = _Rows(0)
    writing: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, "zoohub-index") as writer:
        for count, model in enumerate(models, start=1):
            rows.add(count, model)
            if len(rows.models) >= _BATCH or rows.bytes >= _BATCH_BYTES:
                rows.end_block()
                writing.append(writer.submit(rows.write, connection))
                rows = _Rows(rows.first_block + len(rows.blocks))
            if len(writing) > _AHEAD:
                writing.popleft().result()
        rows.end_block()
        writing.append(writer.submit(rows.write, connection))
        for written in writing:
            written.result()
    return count


class _Rows:
    """Rows waiting to be written, those of a thousand models at a time, and their documents in
    blocks numbered from `first_block`; `bytes` is what these have.

    A batch goes into a table as one statement over one JSON text. Row by row, SQLite would give
    the interpreter's lock away and ask for it again each time.
    """

    def __init__(self, first_block: int) -> None:
        self.first_block, self.bytes = first_block, 0
        self.blocks: list[bytes] = []
        self._block = bytearray()
        self.models: list[tuple[Any, ...]] = []
        self.names: list[tuple[Any, ...]] = []
        self.facets: list[tuple[Any, ...]] = []
        self.words: list[tuple[Any, ...]] = []

    def add(self, id: int, model: Mapping[str, Any]) -> None:
        """Make one model's rows."""
        name = model["model"]
        document = (getattr(model, "text", None) or dump(model)).encode()
        place = (self.first_block + len(self.blocks), len(self._block), len(document))
        self._block += document
        self.bytes += len(document)
        if len(self._block) >= _BLOCK_BYTES:
            self.end_block()
        self.models.append((id, name, model["task"], summarise(model), *place))
        for (text, checkpoint), firm in names_of(model).items():
            self.names.append((name_key(text), text, id, checkpoint, firm))
        facets = facets_of(model)
        self.facets.extend((id, *facet) for facet in facets)
        self.words.append((id, f"{spaced(name)} {name}", _words(model, facets)))

    def end_block(self) -> None:
        """Pack the documents that are not in a block yet."""
        if self._block:
            self.blocks.append(zlib.compress(self._block, 1))
            self._block = bytearray()

    def write(self, connection: sqlite3.Connection) -> None:
        """Write all rows."""
        packed = b"".join(self.blocks)
        ends = list(accumulate(map(len, self.blocks)))
        places = [
            (number, end - len(block) + 1, len(block))  # SQL counts from 1
            for number, (end, block) in enumerate(
                zip(ends, self.blocks, strict=True), self.first_block
            )
        ]
        columns = f"{_item(0)}, substr(?2, {_item(1)}, {_item(2)})"
        connection.execute(
            f"INSERT INTO blocks SELECT {columns} FROM json_each(?1)", (dump(places), packed)
        )
        for table, rows in (
            ("models(id, name, task, summary, block, start, length)", self.models),
            ("names(key, name, model, checkpoint, firm)", self.names),
            ("facets(model, dataset, publisher, format, mindspore)", self.facets),
            ("words(rowid, name, text)", self.words),
        ):
            columns = ", ".join(map(_item, range(table.count(",") + 1)))
            connection.execute(
                f"INSERT INTO {table} SELECT {columns} FROM json_each(?)", (dump(rows),)
            )


def _item(number: int) -> str:
    return f"json_extract(value, '$[{number}]')"


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
    return " ".join(word for word in words if word).replace("_", " ")
