"""Files of texts as the tasks read them: rows of a .jsonl, .csv or .tsv, and a data set's parts."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np

from zoohub.core.json_reader import parse_json
from zoohub.core.text_reader import is_file, read_text_file
from zoohub.errors import DataError
from zoohub.tasks.samples import PARTS, Samples, Splits, none

T = TypeVar("T")
Values: TypeAlias = Mapping[str, object]

JSON_LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv")
_LOOKED_AT = 1 << 20  # bytes of a file, to see what it is: a first row may be a long text
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TAG = re.compile(r"O|[BIESLUM][-_]\S+")


class _Tabs(csv.excel_tab):
    """Texts between tabs have quotation marks of their own."""

    quoting = csv.QUOTE_NONE


def keys_of(file: Path) -> frozenset[str]:
    """The columns of a .csv or .tsv, or the keys of a .jsonl's first row; none of what is no such
    file."""
    suffix = file.suffix.lower()
    if suffix not in (*JSON_LINES, *TABLES) or not is_file(file):
        return frozenset()
    first = next((line for line in _beginning(file) if line.strip()), "")
    if suffix in TABLES:
        delimiter = "," if suffix == ".csv" else "\t"
        names = next(csv.reader([first], delimiter=delimiter), [])
        return frozenset(name.strip().lower() for name in names)
    try:
        row = parse_json(first, str(file), error=DataError)
    except DataError:
        return frozenset()
    return frozenset(map(str.lower, row)) if isinstance(row, dict) else frozenset()


def is_tagged(file: Path) -> bool:
    """Whether a file has a token a line and its tag in the last column, as CoNLL's have: its first
    line does and so do most, and some tag is not O, which is a word too (blood type O)."""
    if not begins_tagged(file):
        return False
    lines = _columns(file)
    tags = [line[-1] for line in lines if _has_tag(line)]
    return 2 * len(tags) > len(lines) and set(tags) != {"O"}


def begins_tagged(file: Path) -> bool:
    """Whether a file's first line is a token and its tag: of a file that should have them."""
    return is_file(file) and _has_tag(next(iter(_columns(file)), []))


def _columns(file: Path) -> list[list[str]]:
    """The columns of each line that is neither empty nor the beginning of a document."""
    lines = (line.split() for line in _beginning(file) if not line.startswith("-DOCSTART-"))
    return [columns for columns in lines if columns]


def _has_tag(columns: list[str]) -> bool:
    return len(columns) > 1 and _TAG.fullmatch(columns[-1]) is not None


def has_lines(file: Path) -> bool:
    """Whether a file has a line that is not empty, and none of a token and its tag."""
    return is_file(file) and any(map(str.strip, _beginning(file))) and not is_tagged(file)


def beginning(file: Path) -> bytes:
    """What a file begins with. Raises DataError: it cannot be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(_LOOKED_AT)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from None


def _beginning(file: Path) -> list[str]:
    data = beginning(file)
    encoding = "utf-16" if data.startswith(_UTF_16) else "utf-8-sig"
    return data.decode(encoding, "replace").splitlines()


def rows_of_file(file: Path) -> Iterator[tuple[str, Values]]:
    """(file:line, row) of each row; the names of its values are in lower case.

    Raises:
        DataError: it cannot be read, or a line is no row.
    """
    text = read_text_file(file)
    if file.suffix.lower() in TABLES:
        yield from _table_rows(file, text)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row = parse_json(line, f"{file}", error=DataError, line=number)
        if not isinstance(row, dict):
            raise DataError(f"{file}:{number}: expected an object, found {line:.40}")
        yield f"{file}:{number}", {key.strip().lower(): value for key, value in row.items()}


def _table_rows(file: Path, text: str) -> Iterator[tuple[str, Values]]:
    dialect = _Tabs if file.suffix.lower() == ".tsv" else csv.excel
    reader = csv.reader(io.StringIO(text, newline=""), dialect=dialect)
    names: list[str] = []
    try:
        for row in reader:
            if not any(map(str.strip, row)):
                continue
            if not names:
                names = [name.strip().lower() for name in row]
                continue
            missing = [None] * (len(names) - len(row))
            yield f"{file}:{reader.line_num}", dict(zip(names, [*row, *missing], strict=False))
    except csv.Error as error:
        raise DataError(
            f"{file}:{reader.line_num + 1}: no row of a CSV: {error}; mend it"
        ) from None


def part_of(row: Values, name: str) -> str | None:
    """The part that a row says it is of (`split`); None: it says nothing. Raises DataError: there
    is no such part."""
    said = str(row.get("split") or "").strip().lower()
    if said and said not in PARTS:
        raise DataError(f"{name}: split {said!r:.40} is not train, val or test")
    return PARTS.get(said)


def ids_in(value: object) -> tuple[int, ...] | None:
    """A list of token ids; None: it is none."""
    if isinstance(value, list) and value and all(type(id) is int and id >= 0 for id in value):
        return tuple(value)
    return None


def need_words(name: str) -> DataError:
    """What to say of a text in data without a vocabulary."""
    return DataError(
        f"{name} is text, which takes the network's vocabulary: put its vocab.txt or "
        "tokenizer.json beside, or give --set data.vocab=FILE; token ids always work"
    )


def parted(
    found: Samples[T], parts: list[str | None], share: float, seed: int, *, measuring: bool
) -> tuple[Samples[T], Samples[T], Samples[T]]:
    """The samples to train on, to validate and to test with: as each says; where none does, the
    share of them is split off by `seed`, unless they are only measured on.

    Raises:
        DataError: only some say their part.
    """
    if any(parts):
        if not all(parts):
            name = found.names[parts.index(None)]
            raise DataError(f"{name}: no split, though other rows have one; write it")
        places = np.array(parts, object)
        train, validation, test = (
            found.take(np.flatnonzero(places == part)) for part in ("train", "validation", "test")
        )
        return train, validation, test
    if measuring or not share or len(found) < 2:
        return found, none(), none()
    order = np.random.default_rng([seed, len(found)]).permutation(len(found))
    count = min(len(found) - 1, max(1, round(share * len(found))))
    return found.take(np.sort(order[count:])), found.take(np.sort(order[:count])), none()


def usable(splits: Splits[T], file: Path, what: str, *, measuring: bool) -> Splits[T]:
    """The splits. Raises DataError: there is nothing to train on or measure with; `what` is
    missing."""
    counted = (splits.train, splits.validation, splits.test) if measuring else (splits.train,)
    if not any(map(len, counted)):
        reason = next(iter(splits.skipped.values()), "there is none")
        raise DataError(f"{file}: no {what} can be used: {reason}")
    return splits
