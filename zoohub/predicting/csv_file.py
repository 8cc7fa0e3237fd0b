"""Predictions as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from zoohub.predicting.result_file import ResultFile, begins, foreign, open_bytes, put
from zoohub.tasks.results import AnyPrediction, Json

_LONGEST_FIELD = 2**31 - 1  # characters: an object's polygons have more than the usual 131,072
FIRST_COLUMNS = ("input", "engine", "error", "rank")


class Csv(ResultFile):
    """A row a result, its rank from 1; an input without results has one row of rank 0.

    The columns after the first are those of the first results there are; lists in them are JSON.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        super().__init__(path)
        self._columns: tuple[str, ...] | None = None
        self._held: list[AnyPrediction] = []  # until there are columns
        self._file = open_bytes(path, resume=resume)
        try:
            kept = self._read()
            self._file.seek(kept)
            self._file.truncate()
        except BaseException:
            self._file.close()
            raise

    def _read(self) -> int:
        """Take in what the file has, and say how much of it stays: all but the last input, whose
        rows may not be complete."""
        records = _csv_records(self._file, self.path)
        start = self._file.read(100)
        self._file.seek(0)
        if not begins(start, ",".join(FIRST_COLUMNS).encode()):
            raise foreign(self.path, "its columns are not those of predictions")
        first = next(records, None)
        if first is None:
            return 0  # not even a whole header
        header, kept = first
        if len(header) == len(FIRST_COLUMNS):
            return 0  # nothing but errors
        last, before = None, kept  # the input that the last rows are of, and where they begin
        for row, end in records:
            # A row without a rank was cut off within quotes: it is of the last input, or a new one.
            if len(row) >= len(FIRST_COLUMNS) and row[3] in ("0", "1"):
                if last is not None:
                    self.done[last] += 1
                last, kept = row[0], before
            before = end
        self._columns = tuple(header[len(FIRST_COLUMNS) :])
        return kept

    def write(self, prediction: AnyPrediction) -> None:
        """See `ResultFile`."""
        if self._columns is None:
            self._held.append(prediction)
            if not prediction.predictions:
                return
            self._begin(tuple(prediction.predictions[0].to_json()))
            return
        put(self._file, self._rows(prediction, self._columns), self.path)

    def _begin(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        text = _csv_text([[*FIRST_COLUMNS, *columns]])
        put(self._file, text + "".join(self._rows(p, columns) for p in self._held), self.path)
        self._held = []

    @staticmethod
    def _rows(prediction: AnyPrediction, columns: tuple[str, ...]) -> str:
        head = [prediction.input, prediction.engine or "", prediction.error or ""]
        rows: list[list[object]] = []
        for rank, result in enumerate(prediction.predictions, 1):
            values = result.to_json()
            rows.append([*head, rank, *(_cell(values.get(column)) for column in columns)])
        return _csv_text(rows or [[*head, 0, *("" for _ in columns)]])

    def finish(self) -> None:
        """See `ResultFile`."""
        if self._columns is None and self._held:
            self._begin(())

    def close(self) -> None:
        """See `ResultFile`."""
        self._file.close()


def _csv_records(file: IO[bytes], path: Path) -> Iterator[tuple[list[str], int]]:
    """The whole records of a file, each with the place of its end; not a last one that was cut
    off. Raises DataError: it is no CSV."""
    end, whole = 0, True

    def lines() -> Iterator[str]:
        nonlocal end, whole
        for line in file:
            end += len(line)
            whole = line.endswith(b"\n")
            yield line.decode("utf-8", "surrogateescape")

    reader = csv.reader(lines())
    usual = csv.field_size_limit(_LONGEST_FIELD)
    try:
        for row in reader:
            if whole:
                yield row, end
    except csv.Error as error:
        raise foreign(path, f"line {reader.line_num}: {error}") from None
    finally:
        csv.field_size_limit(usual)


def _csv_text(rows: list[list[object]]) -> str:
    """The rows, each ended by a line feed alone. The module quotes what is in its own end of a
    line, and reads a carriage return back only where that is quoted."""
    text = io.StringIO()
    for row in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow(row)
        text.write(line.getvalue().removesuffix("\r\n") + "\n")
    return text.getvalue()


def _cell(value: Json) -> object:
    if value is None:
        return ""
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)
