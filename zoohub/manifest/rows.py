"""What compiled models put into the tables of the SQLite file that `database` reads."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from zoohub.manifest.codec import dump
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.database import PIPELINE, Summary, hash_key, name_key
from zoohub.manifest.tasks import leading, rank

BATCH = 1_000  # models
BATCH_BYTES = 32 << 20
_BLOCK_BYTES = 64 << 10  # what one entry costs to read

_COLUMNS = (
    "id, name, task, dataset, figure, checkpoints, builder, "
    "block, start, length, size, rank, metric, odd, value"
)


@dataclass(frozen=True)
class Rows:
    """The rows of some models that follow each other, `count` of them from the name `first` to the
    name `last`.

    `tables` gives a table with its columns its rows, as JSON text; `blocks` the models' documents,
    packed, each block with its id; `prefixes` is what their Hub UIDs begin with.
    """

    count: int
    first: str
    last: str
    tables: dict[str, str]
    blocks: list[tuple[int, bytes]]
    prefixes: frozenset[str]


# Closed when the rest is not wanted, so that whatever makes them ends.
Batches: TypeAlias = Generator[Rows, None, None]


def rows_of(models: Iterable[ModelRow], start: int = 1) -> Rows:
    """The rows of checked, sorted models, of which the first gets the id `start`."""
    made = _Making(start)
    for model in models:
        made.add(model)
    return made.rows()


def batches(models: Iterable[ModelRow]) -> Batches:
    """The rows of any number of checked, sorted models, a thousand or so at a time."""
    made = _Making(1)
    for model in models:
        made.add(model)
        if made.count >= BATCH or made.bytes >= BATCH_BYTES:
            yield made.rows()
            made = _Making(made.id)
    if made.count:
        yield made.rows()


class _Making:
    """Rows in the making; `id` is the next model's, `bytes` is what the documents have."""

    def __init__(self, start: int) -> None:
        self.id, self.count, self.bytes = start, 0, 0
        self._first = self._last = ""
        self._blocks: list[tuple[int, bytes]] = []
        self._block = bytearray()
        self._block_id = start
        self._models: list[tuple[object, ...]] = []
        self._names: list[tuple[object, ...]] = []
        self._facets: list[tuple[object, ...]] = []
        self._files: list[tuple[int, int]] = []
        self._words: list[tuple[object, ...]] = []
        self._prefixes: set[str] = set()

    def add(self, model: ModelRow) -> None:
        """Make one model's rows."""
        name, id = model["model"], self.id
        self._first, self._last = self._first or name, name
        self.id, self.count = id + 1, self.count + 1
        s = summarise(model)
        shown = (s.task, s.dataset, s.figure, s.checkpoints, s.builder)
        order = (s.size, *rank({} if s.figure is None else {s.metric: s.figure}))
        self._models.append((id, name, *shown, *self._place(id, model), *order))
        checkpoints = model.get("checkpoints") or ()
        keys = {hash_key(c["sha256"]) for c in checkpoints if c.get("sha256")}
        self._files.extend((key, id) for key in keys)
        for checkpoint in checkpoints:
            for record in checkpoint.get("records") or ():
                if record["uid"].startswith("mindspore/"):
                    self._prefixes.add(record["uid"].rpartition("/")[0])
        for (text, meant), firm in names_of(model).items():
            self._names.append((name_key(text), text, id, meant, firm))
        facets = facets_of(model)
        self._facets.extend((id, *facet) for facet in facets)
        self._words.append((id, f"{spaced(name)} {name}", _words(model, facets)))

    def _place(self, id: int, model: ModelRow) -> tuple[int, int, int]:
        """Put a model's document into a block, which has its first model's id: (block, start,
        length)."""
        if len(self._block) >= _BLOCK_BYTES:
            self._end_block()
        if not self._block:
            self._block_id = id
        document = (getattr(model, "text", None) or dump(model)).encode()
        place = (self._block_id, len(self._block), len(document))
        self._block += document
        self.bytes += len(document)
        return place

    def _end_block(self) -> None:
        if self._block:
            self._blocks.append((self._block_id, zlib.compress(self._block, 1)))
            self._block = bytearray()

    def rows(self) -> Rows:
        """What has been made."""
        self._end_block()
        tables = {
            f"models({_COLUMNS})": dump(self._models),
            "names(key, name, model, checkpoint, firm)": dump(self._names),
            "files(key, model)": dump(self._files),
            "facets(model, dataset, publisher, format, mindspore)": dump(self._facets),
            "words(rowid, name, text)": dump(self._words),
        }
        prefixes = frozenset(self._prefixes)
        return Rows(self.count, self._first, self._last, tables, self._blocks, prefixes)


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
        PIPELINE if model.get("steps") else network.get("builder") if network else None,
    )


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
