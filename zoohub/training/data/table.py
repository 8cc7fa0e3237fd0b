"""A CSV or JSON Lines file of picture paths and labels."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from zoohub.errors import DataError
from zoohub.training.data.files import find_unreadable
from zoohub.training.data.samples import Samples, Splits
from zoohub.training.data.splitting import (
    PARTS,
    class_warnings,
    require_two,
    sort_classes,
    split_off,
)
from zoohub.training.recipe import TableData

_Rows = Sequence[tuple[int, dict[str, str]]]


def read_table(data: TableData, *, evaluating: bool = False) -> Splits:
    """The pictures of a table, split. Unreadable ones are left out and named in `skipped`.

    `evaluating` is as for `read_splits`.

    Raises:
        DataError: the file cannot be read, a row lacks its path, label or split, two rows
            contradict each other, or nothing is left.
    """
    file = Path(data.path).expanduser()
    rows = list(_rows(file))
    every = _parts(file, rows)
    warnings = _repeated(file, rows, every)
    paths = [file.parent / row["path"] for _, row in rows]
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
            raise DataError(f"{file}: no readable picture in any row ({len(skipped)} unreadable)")
    else:
        training = parts == ("train" if split_given else None)
        classes = sort_classes(name for name, own in zip(names, training, strict=True) if own)
        require_two(classes, f"{file}: rows of split train" if split_given else file)
    place = {name: i for i, name in enumerate(classes)}
    unknown = sorted({name for name in names if name not in place})
    if unknown:
        warnings.append(f"labels without training pictures: {', '.join(unknown)}")
    known = np.array([name in place for name in names], bool)
    labels = np.array([place.get(name, -1) for name in names], np.int64)
    samples = Samples([paths[i] for i in good], labels, [str(rows[i][1]["path"]) for i in good])

    def part(name: str) -> Samples:
        return samples.take(np.flatnonzero((parts == name) & known))

    if split_given:
        return Splits(
            classes, part("train"), part("validation"), part("test"), skipped, tuple(warnings)
        )
    warnings += class_warnings(classes, labels, data.validation)
    train, validation = split_off(labels, data.validation, data.seed)
    empty = samples.take([])
    return Splits(
        classes, samples.take(train), samples.take(validation), empty, skipped, tuple(warnings)
    )


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, row as text) of each row; both formats alike."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            if file.suffix.lower() == ".csv":
                reader = csv.DictReader(stream)
                _check_header(file, reader.fieldnames or ())
                for row in reader:
                    yield reader.line_num, _checked(file, reader.line_num, dict(row))
            else:
                for number, line in enumerate(stream, 1):
                    if line.strip():
                        yield number, _checked(file, number, _object(file, number, line))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: the table cannot be read: {error}") from None


def _object(file: Path, number: int, line: str) -> dict[str, object]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise DataError(f"{file}:{number}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise DataError(f"{file}:{number}: expected an object with `path` and `label`")
    return value


def _checked(file: Path, number: int, row: dict[str, object]) -> dict[str, str]:
    own = {str(k).strip(): str(v).strip() for k, v in row.items() if v is not None}
    text = {name.lower(): value for name, value in own.items()} | own
    for column in ("path", "label"):
        if not text.get(column):
            found = ", ".join(repr(name) for name in own) or "nothing"
            raise DataError(f"{file}:{number}: {column!r} is missing; found {found}")
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
        earlier = first.setdefault(os.path.normpath(file.parent / row["path"]), i)
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
