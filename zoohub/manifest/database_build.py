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

from zoohub.errors import ManifestError
from zoohub.manifest.codec import dump
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.database import LAYOUT, Summary, hash_key, name_key, seal
from zoohub.manifest.tasks import leading, rank

_BATCH = 1_000  # models
_BATCH_BYTES = 32 << 20
_BLOCK_BYTES = 64 << 10  # what one entry costs to read
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

_COLUMNS = (
    "id, name, task, dataset, figure, checkpoints, builder, "
    "block, start, length, size, rank, metric, odd, value"
)


def summarise(model: ModelRow) -> Summary:
    """The summary of a compiled model."""
    checkpoints = model.get("checkpoints") or []
    default = model.get("default")
    first = checkpoints[0] if checkpoints else None
    chosen = next((c for c in checkpoints if c["id"] == default), first)
    network = model.get("network")
    if chosen is not None:
        network = chosen.get("network", network)  # null where it has none
    metric, figure = (leading(chosen.get("metrics") or {}) if chosen else None) or ("", None)
    return Summary(
        model["model"],
        model["task"],
        chosen.get("dataset") if chosen else None,
        metric,
        figure,
        chosen.get("size") if chosen else None,
        len(checkpoints),
        network.get("builder") if network else None,
    )


def build_database(
    path: Path, models: Iterable[ModelRow], meta: Mapping[str, str | int | None]
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
                count, prefixes = _insert(connection, models)
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


def _insert(connection: sqlite3.Connection, models: Iterable[ModelRow]) -> tuple[int, list[str]]:
    """The number of models, and what their Hub UIDs begin with. Rows are made here and written in a
    thread, which needs the interpreter for none of them."""
    count = 0
    rows = _Rows(0)
    prefixes: set[str] = set()
    writing: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, "zoohub-index") as writer:
        for count, model in enumerate(models, start=1):
            rows.add(count, model)
            if len(rows.models) >= _BATCH or rows.bytes >= _BATCH_BYTES:
                rows.end_block()
                writing.append(writer.submit(rows.write, connection))
                prefixes |= rows.prefixes
                rows = _Rows(rows.first_block + len(rows.blocks))
            if len(writing) > _AHEAD:
                writing.popleft().result()
        prefixes |= rows.prefixes
        rows.end_block()
        writing.append(writer.submit(rows.write, connection))
        for written in writing:
            written.result()
    return count, sorted(p for p in prefixes if p.startswith("mindspore/"))[:_MAX_PREFIXES]


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
        self.models: list[tuple[object, ...]] = []
        self.names: list[tuple[object, ...]] = []
        self.facets: list[tuple[object, ...]] = []
        self.files: list[tuple[int, int]] = []
        self.prefixes: set[str] = set()
        self.words: list[tuple[object, ...]] = []

    def add(self, id: int, model: ModelRow) -> None:
        """Make one model's rows."""
        name = model["model"]
        document = (getattr(model, "text", None) or dump(model)).encode()
        place = (self.first_block + len(self.blocks), len(self._block), len(document))
        self._block += document
        self.bytes += len(document)
        if len(self._block) >= _BLOCK_BYTES:
            self.end_block()
        s = summarise(model)
        shown = (s.task, s.dataset, s.figure, s.checkpoints, s.builder)
        order = (s.size, *rank({} if s.figure is None else {s.metric: s.figure}))
        self.models.append((id, name, *shown, *place, *order))
        keys = {hash_key(c["sha256"]) for c in model.get("checkpoints") or () if c.get("sha256")}
        self.files.extend((key, id) for key in keys)
        for checkpoint in model.get("checkpoints") or ():
            for record in checkpoint.get("records") or ():
                self.prefixes.add(record["uid"].rpartition("/")[0])
        for (text, meant), firm in names_of(model).items():
            self.names.append((name_key(text), text, id, meant, firm))
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
            (f"models({_COLUMNS})", self.models),
            ("names(key, name, model, checkpoint, firm)", self.names),
            ("files(key, model)", self.files),
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


def names_of(model: ModelRow) -> dict[tuple[str, str | None], bool]:
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
            file = source.partition("?")[0].rpartition("/")[2]
            if "." in file:
                names[(file, id)] = False
        for record in checkpoint.get("records") or ():
            names[(record["url"], id)] = False
            names[(record["uid"], id)] = False
    for name, id in (model.get("published") or {}).items():
        names[(name, id)] = True
    return names


def facets_of(model: ModelRow) -> list[tuple[str | None, ...]]:
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


def _words(model: ModelRow, facets: list[tuple[str | None, ...]]) -> str:
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
