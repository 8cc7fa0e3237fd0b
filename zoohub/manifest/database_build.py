"""Compiled models into the SQLite file that `database` reads."""

from __future__ import annotations

import contextlib
import gc
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path

from zoohub.errors import ManifestError
from zoohub.manifest.codec import dump
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.database import LAYOUT
from zoohub.manifest.rows import Batches, Rows, batches
from zoohub.manifest.seal import seal

_AHEAD = 2
_MAX_PREFIXES = 200

_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE blocks(id INTEGER PRIMARY KEY, packed BLOB);
CREATE TABLE models(
    id INTEGER PRIMARY KEY, name TEXT, task TEXT, dataset TEXT, figure REAL, checkpoints INTEGER,
    builder TEXT, block INTEGER, start INTEGER, length INTEGER,
    size INTEGER, rank INTEGER, metric TEXT, odd INTEGER, value REAL
);
CREATE TABLE files(key INTEGER, model INTEGER);
CREATE TABLE names(key INTEGER, name TEXT, model INTEGER, checkpoint TEXT, firm INTEGER);
CREATE TABLE facets(model INTEGER, dataset TEXT, publisher TEXT, format TEXT, mindspore TEXT);
CREATE VIRTUAL TABLE words USING fts5(name, text, content='', tokenize='unicode61');
"""
_INDEXES = """
CREATE INDEX models_name ON models(name);
CREATE INDEX models_size ON models(size IS NULL, size);
CREATE INDEX models_rank ON models(rank, metric, odd, value);
CREATE INDEX files_key ON files(key);
CREATE INDEX names_key ON names(key);
CREATE INDEX facets_model ON facets(model);
"""


def build_database(
    path: Path, models: Iterable[ModelRow], meta: Mapping[str, str | int | None]
) -> int:
    """Write a new database of checked, sorted models to `path`; returns the number of models.

    Raises:
        ManifestError: as `write_database`.
    """
    return write_database(path, batches(models), meta)


def write_database(path: Path, rows: Batches, meta: Mapping[str, str | int | None]) -> int:
    """Write a new database of these rows to `path`; returns the number of models.

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
            with without_collector(), contextlib.closing(rows):
                count, prefixes = _insert(connection, rows)
            connection.executemany(
                "INSERT INTO meta VALUES(?, ?)",
                [(key, str(value)) for key, value in meta.items() if value is not None]
                + [("layout", str(LAYOUT)), ("models", str(count))]
                + [("prefixes", dump(prefixes))],
            )
            connection.execute("COMMIT")
            connection.executescript(_INDEXES)
            connection.execute("PRAGMA optimize")
        seal(path)
        return count
    except sqlite3.Error as error:
        full = "full" in str(error)
        cure = "; free some, or set ZOOHUB_HOME to a folder on a larger disk" if full else ""
        raise ManifestError(f"the index cannot be built at {path}: {error}{cure}") from None


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Nothing here makes cycles; to look for them among millions of short-lived dicts would take a
    tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _insert(connection: sqlite3.Connection, batches: Batches) -> tuple[int, list[str]]:
    """The number of models, and what their Hub UIDs begin with. Rows are made here, or in other
    processes, and written in a thread, which needs the interpreter for none of them."""
    count = 0
    prefixes: set[str] = set()
    writing: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, "zoohub-index") as writer:
        for rows in batches:
            count += rows.count
            prefixes |= rows.prefixes
            writing.append(writer.submit(_write, connection, rows))
            if len(writing) > _AHEAD:
                writing.popleft().result()
        for written in writing:
            written.result()
    return count, sorted(prefixes)[:_MAX_PREFIXES]


def _write(connection: sqlite3.Connection, rows: Rows) -> None:
    """Write one batch: a table's part as one statement over one JSON text. Row by row, SQLite
    would give the interpreter's lock away and ask for it again each time."""
    packed = b"".join(block for _, block in rows.blocks)
    ends = accumulate(len(block) for _, block in rows.blocks)
    places = [
        (id, end - len(block) + 1, len(block))  # SQL counts from 1
        for (id, block), end in zip(rows.blocks, ends, strict=True)
    ]
    columns = f"{_item(0)}, substr(?2, {_item(1)}, {_item(2)})"
    connection.execute(
        f"INSERT INTO blocks SELECT {columns} FROM json_each(?1)", (dump(places), packed)
    )
    for table, text in rows.tables.items():
        columns = ", ".join(map(_item, range(table.count(",") + 1)))
        connection.execute(f"INSERT INTO {table} SELECT {columns} FROM json_each(?)", (text,))


def _item(number: int) -> str:
    return f"json_extract(value, '$[{number}]')"
