"""Predictions written into a file as they come, so that a killed run can go on where it was.

Each input is written at once, and what the file has is read back from its end to its beginning
being intact: a last line that was cut off is taken away, and its input predicted again.
"""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from zoohub.core.json_reader import parse_own
from zoohub.errors import DataError
from zoohub.tasks.results import AnyPrediction, Json

_LONGEST_FIELD = 2**31 - 1  # characters: an object's polygons have more than the usual 131,072
FIRST_COLUMNS = ("input", "engine", "error", "rank")


class ResultFile(ABC):
    """A file that takes predictions; a context manager.

    `done` says how often each input is in it already.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: Counter[str] = Counter()

    @abstractmethod
    def write(self, prediction: AnyPrediction) -> None:
        """Add an input's prediction, or its error; it is in the file when this returns."""

    @abstractmethod
    def finish(self) -> None:
        """All are written."""

    @abstractmethod
    def close(self) -> None:
        """Let the file go, finished or not."""

    def __enter__(self) -> ResultFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                with _telling(self.path):
                    self.finish()
        finally:
            self.close()


class JsonLines(ResultFile):
    """A line an input, as `predict --json` has it."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        super().__init__(path)
        self._file = _open(path, resume=resume)
        try:
            kept = 0
            for number, line in enumerate(self._file, 1):
                name = _input_of(line)
                if name is None:
                    if line.endswith(b"\n") or not _begins(line, b'{"input": "'):
                        raise foreign(path, f"line {number} is no prediction")
                    break
                self.done[name] += 1
                kept += len(line)
            self._file.seek(kept)
            self._file.truncate()
        except BaseException:
            self._file.close()
            raise

    def write(self, prediction: AnyPrediction) -> None:
        """See `ResultFile`."""
        line = json.dumps(prediction.to_json()) + "\n"
        _put(self._file, line, self.path)

    def finish(self) -> None:
        """See `ResultFile`."""

    def close(self) -> None:
        """See `ResultFile`."""
        self._file.close()


class Csv(ResultFile):
    """A row a result, its rank from 1; an input without results has one row of rank 0.

    The columns after the first are those of the first results there are; lists in them are JSON.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        super().__init__(path)
        self._columns: tuple[str, ...] | None = None
        self._held: list[AnyPrediction] = []  # until there are columns
        self._file = _open(path, resume=resume)
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
        if not _begins(start, ",".join(FIRST_COLUMNS).encode()):
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
        _put(self._file, self._rows(prediction, self._columns), self.path)

    def _begin(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        text = _csv_text([[*FIRST_COLUMNS, *columns]])
        _put(self._file, text + "".join(self._rows(p, columns) for p in self._held), self.path)
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


def check_free(path: Path, *, resume: bool) -> None:
    """That a file may be written, or gone on with. Raises DataError: there is one already, or a
    folder."""
    if path.is_dir():
        raise DataError(f"{path} is a folder; name a file in it")
    if not resume and path.exists() and path.stat().st_size:
        raise DataError(f"{path} is there already: --resume goes on with it, or remove it")


def open_result_file(path: Path, format: str, *, resume: bool) -> ResultFile:
    """The file for predictions at `path`, as `jsonl`, `csv` or `parquet`.

    With `resume` it goes on where an earlier run was; without, there must be nothing there.

    Raises:
        DataError: there is a file already, or one of another kind, or it cannot be written.
    """
    check_free(path, resume=resume)
    if format == "parquet":
        from zoohub.predicting.parquet_file import Parquet

        return Parquet(path, resume=resume)
    kinds: dict[str, type[JsonLines] | type[Csv]] = {"jsonl": JsonLines, "csv": Csv}
    return kinds[format](path, resume=resume)


def _open(path: Path, *, resume: bool) -> IO[bytes]:
    with _telling(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("r+b" if resume and path.exists() else "w+b")


def _put(file: IO[bytes], text: str, path: Path) -> None:
    with _telling(path):
        file.write(text.encode("utf-8", "surrogateescape"))
        file.flush()


class _telling:  # noqa: N801 - reads as a verb
    """Trouble with the file as a `DataError`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise DataError(
                f"{self._path} cannot be written: {reason}; what was written stays, and --resume "
                "goes on"
            ) from error


def _input_of(line: bytes) -> str | None:
    """The input that a line is of; None where it is no whole line of ours."""
    try:
        content = parse_own(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    name = content.get("input") if isinstance(content, dict) else None
    return name if isinstance(name, str) else None


def _begins(found: bytes, wanted: bytes) -> bool:
    """Whether bytes begin as wanted, as far as they go."""
    length = min(len(found), len(wanted))
    return found[:length] == wanted[:length]


def foreign(path: Path, why: str) -> DataError:
    """What to say of a file that is there and none of ours."""
    return DataError(f"{path} is no file of predictions to go on with: {why}")


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
