"""A CSV or JSON Lines file of picture paths and labels."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from zoohub.core.escaping import brief
from zoohub.core.json_reader import parse_json
from zoohub.core.paths import expanded
from zoohub.core.text_reader import named_path, read_text_file
from zoohub.errors import DataError
from zoohub.inputs.picture.files import find_unreadable
from zoohub.tasks.classification.recipe import TableData
from zoohub.tasks.classification.splitting import (
    class_warnings,
    no_picture,
    require_samples,
    require_two,
    sort_classes,
    split_classes,
)
from zoohub.tasks.contract import Reader
from zoohub.tasks.samples import PARTS, Samples, Splits, none

_Rows = Sequence[tuple[int, dict[str, str]]]
_LONGEST = 10_000
_SUFFIXES = (".csv", ".jsonl", ".ndjson")


class TableReader(Reader[TableData, int]):
    """A CSV or JSON Lines file with a picture's path and label in each row."""

    data = TableData
    says = "a .csv or .jsonl file"

    def claims(self, source: Path) -> bool:
        """See `Reader`."""
        return source.is_file() and source.suffix.lower() in _SUFFIXES

    def describe(self, source: Path) -> TableData:
        """See `Reader`."""
        return TableData("table", str(source.absolute()))

    def read(self, data: TableData, *, measuring: bool = False) -> Splits[int]:
        """See `Reader`."""
        return require_samples(read_table(data, evaluating=measuring), measuring)


def read_table(data: TableData, *, evaluating: bool = False) -> Splits[int]:
    """The pictures of a table, split. Unreadable ones are left out and named in `skipped`.

    `evaluating` is as for `read_folder`.

    Raises:
        DataError: the file cannot be read, a row lacks its path, label or split, two rows
            contradict each other, or nothing is left.
    """
    file = expanded(data.path)
    rows = list(_rows(file))
    every = _parts(file, rows)
    warnings = _repeated(file, rows, every)
    paths = [named_path(file.parent, row["path"]) for _, row in rows]
    bad = find_unreadable(paths)
    skipped = {str(row["path"]): bad[path] for (_, row), path in zip(rows, paths, strict=True)
               if path in bad}  # fmt: skip
    good = [i for i, path in enumerate(paths) if path not in bad]
    names = [rows[i][1]["label"] for i in good]
    parts = np.array([every[i] for i in good], dtype=object)
    split_given = any(every)
    if evaluating:
        classes = sort_classes(names)
        if not classes:
            raise no_picture(file, "row", skipped)
    else:
        training = parts == ("train" if split_given else None)
        classes = sort_classes(name for name, own in zip(names, training, strict=True) if own)
        where = f"{file}: rows of split train" if split_given else file
        require_two(classes, where, skipped=skipped)
    place = {name: i for i, name in enumerate(classes)}
    unknown = sorted({name for name in names if name not in place})
    if unknown:
        warnings.append(f"labels without training pictures: {', '.join(unknown)}")
    known = np.array([name in place for name in names], bool)
    labels = [place.get(name, -1) for name in names]
    samples = Samples([paths[i] for i in good], labels, [str(rows[i][1]["path"]) for i in good])

    def part(name: str) -> Samples[int]:
        return samples.take(np.flatnonzero((parts == name) & known))

    if split_given:
        return Splits(
            classes, part("train"), part("validation"), part("test"), skipped, tuple(warnings)
        )
    if evaluating:
        return Splits(classes, samples, none(), none(), skipped, tuple(warnings))
    warnings += class_warnings(classes, labels, data.validation)
    train, validation = split_classes(samples, data.validation, data.seed)
    return Splits(classes, train, validation, none(), skipped, tuple(warnings))


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, row as text) of each row; both formats alike."""
    stream = io.StringIO(read_text_file(file), newline="")
    if file.suffix.lower() != ".csv":
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield number, _checked(file, number, _object(file, number, line))
        return
    reader = csv.DictReader(stream)
    try:
        _check_header(file, reader.fieldnames or ())
        for row in reader:
            yield reader.line_num, _checked(file, reader.line_num, dict(row))
    except csv.Error as error:
        raise DataError(
            f"{file}:{reader.line_num + 1}: no row of a CSV: {error}; mend it"
        ) from None


def _object(file: Path, number: int, line: str) -> dict[str, object]:
    value = parse_json(line, str(file), error=DataError, line=number)
    if not isinstance(value, dict):
        raise DataError(f"{file}:{number}: expected an object with `path` and `label`")
    for column, cell in value.items():
        known = column.strip().lower() in ("path", "label", "split")
        if known and (isinstance(cell, bool) or not isinstance(cell, str | int | float | None)):
            raise DataError(f"{file}:{number}: {column!r} must be text; found {str(cell)[:60]!r}")
    return {**value}


def _checked(file: Path, number: int, row: dict[str, object]) -> dict[str, str]:
    own = {str(k).strip(): str(v).strip() for k, v in row.items() if v is not None}
    text = {name.lower(): value for name, value in own.items()} | own
    for column in ("path", "label"):
        if not text.get(column):
            found = ", ".join(repr(name) for name in own) or "nothing"
            raise DataError(f"{file}:{number}: {column!r} is missing; found {brief(found)}")
        if len(text[column]) > _LONGEST:
            length = len(text[column])
            raise DataError(f"{file}:{number}: a {column} of {length} characters; shorten it")
    return text


def _check_header(file: Path, columns: Sequence[str]) -> None:
    if {"path", "label"} <= {name.strip().lower() for name in columns}:
        return
    if len(columns) == 1 and any(mark in columns[0] for mark in ";\t|"):
        hint = "; commas must part them"
    else:
        hint = "; the first line must name the columns"
    found = ", ".join(repr(name) for name in columns) or "nothing"
    expected = "expected the columns path and label (and perhaps split)"
    raise DataError(f"{file}:1: {expected}, found {found}{hint}")


def _parts(file: Path, rows: _Rows) -> list[str | None]:
    """The part of each row; None for all of them where none has one."""
    splits = [row.get("split", "").lower() for _, row in rows]
    given = any(splits)
    for (number, _), split in zip(rows, splits, strict=True):
        if split and split not in PARTS:
            raise DataError(f"{file}:{number}: split {split!r} is not train, val or test")
        if not split and given:
            raise DataError(
                f"{file}:{number}: no split, though other rows have one; "
                "write train, val or test, or leave the row out"
            )
    return [PARTS.get(split) for split in splits]


def _repeated(file: Path, rows: _Rows, parts: Sequence[str | None]) -> list[str]:
    """Warnings of pictures that several rows name. Raises DataError where their labels differ."""
    first: dict[str, int] = {}
    same: list[str] = []
    across: list[str] = []
    for i, (number, row) in enumerate(rows):
        earlier = first.setdefault(os.path.normpath(named_path(file.parent, row["path"])), i)
        if earlier == i:
            continue
        line, label = rows[earlier][0], rows[earlier][1]["label"]
        if row["label"] != label:
            raise DataError(
                f"{file}:{number}: {row['path']!r} is {row['label']!r} here and {label!r} on line "
                f"{line}; keep one"
            )
        where = f"line {number}: {row['path']}, as line {line}"
        (same if parts[i] == parts[earlier] else across).append(where)
    warnings = []
    if same:
        warnings.append(f"rows that repeat another's picture: {len(same)} (first {same[0]})")
    if across:
        warnings.append(
            f"rows that repeat a picture of another split: {len(across)} (first {across[0]}); "
            "what is measured on pictures trained on says little"
        )
    return warnings
