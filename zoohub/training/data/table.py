"""A CSV or JSON Lines file of picture paths and labels."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zoohub.errors import DataError
from zoohub.training.data.files import find_unreadable
from zoohub.training.data.samples import Samples, Splits
from zoohub.training.data.splitting import class_warnings, sort_classes, split_off
from zoohub.training.recipe import TableData

_PARTS = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}


def read_table(data: TableData) -> Splits:
    """The pictures of a table, split. Unreadable ones are left out and named in `skipped`.

    Raises:
        DataError: the file cannot be read, a row lacks its path or label, or nothing is left.
    """
    file = Path(data.path).expanduser()
    rows = list(_rows(file))
    paths = [file.parent / row["path"] for _, row in rows]
    bad = find_unreadable(paths)
    skipped = {str(row["path"]): bad[path] for (_, row), path in zip(rows, paths, strict=True)
               if path in bad}  # fmt: skip
    good = [i for i, path in enumerate(paths) if path not in bad]
    names = [rows[i][1]["label"] for i in good]
    parts = np.array([_part(file, *rows[i]) for i in good], dtype=object)
    split_given = any(parts)
    in_training = [n for n, p in zip(names, parts, strict=True) if not split_given or p == "train"]
    classes = sort_classes(in_training)
    if len(classes) < 2:
        raise DataError(f"{file}: at least two classes with readable pictures are needed")
    place = {name: i for i, name in enumerate(classes)}
    unknown = sorted({name for name in names if name not in place})
    warnings = [f"labels without training pictures: {', '.join(unknown)}"] if unknown else []
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
    text = {str(k).strip(): str(v).strip() for k, v in row.items() if v is not None}
    for column in ("path", "label"):
        if not text.get(column):
            raise DataError(f"{file}:{number}: {column!r} is missing")
    return text


def _part(file: Path, number: int, row: dict[str, str]) -> str | None:
    split = row.get("split", "").lower()
    if split and split not in _PARTS:
        raise DataError(f"{file}:{number}: split {split!r} is not train, val or test")
    return _PARTS.get(split)
