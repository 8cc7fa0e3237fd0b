"""Predictions as Parquet, whose end holds what its beginning needs: a killed run would leave
nothing that can be read. So they are kept as lines beside the file until all are there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from zoohub.core.atomic import remove_leftovers, standing_in
from zoohub.core.hashing import hash_file
from zoohub.core.json_reader import parse_own
from zoohub.errors import DataError
from zoohub.predicting.json_lines import JsonLines
from zoohub.predicting.result_file import ResultFile, foreign
from zoohub.tasks.results import AnyPrediction

_ROWS = 10_000  # at a time
_TAKEN_IN = b"zoohub.lines"  # SHA-256 of the lines that became the file


class Parquet(ResultFile):
    """A row a result, with the columns of `Csv`; lists are lists."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        super().__init__(path)
        try:
            import pyarrow.parquet  # noqa: F401 - said here, not after the last input
        except ImportError:
            raise DataError("a parquet file needs pyarrow: pip install pyarrow") from None
        remove_leftovers(path.parent)
        self._finished = resume and path.is_file() and path.stat().st_size > 0
        finished = _inputs_in(path) if self._finished else Counter()
        lines = path.with_name(f".{path.name}.partial.jsonl")
        taken_in = self._finished and _has_taken_in(path, lines)
        self._lines = JsonLines(lines, resume=resume and not taken_in)
        self.done = self._lines.done + finished

    def write(self, prediction: AnyPrediction) -> None:
        """See `ResultFile`."""
        self._lines.write(prediction)

    def finish(self) -> None:
        """Make the lines a Parquet file, which appears whole."""
        import pyarrow
        import pyarrow.parquet

        self._lines.close()
        schemas = [pyarrow.Table.from_pylist(rows).schema for rows in self._tables()]
        if not schemas:
            return
        said = {_TAKEN_IN: hash_file(self._lines.path).sha256}
        schema = pyarrow.unify_schemas(schemas, promote_options="permissive").with_metadata(said)
        with (
            standing_in(self.path) as temporary,
            pyarrow.parquet.ParquetWriter(temporary, schema) as writer,
        ):
            for rows in self._tables():
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
        self._lines.path.unlink(missing_ok=True)

    def _tables(self) -> Iterator[list[dict[str, object]]]:
        rows = self._rows()
        while part := list(islice(rows, _ROWS)):
            yield part

    def _rows(self) -> Iterator[dict[str, object]]:
        if self._finished:
            import pyarrow.parquet

            with pyarrow.parquet.ParquetFile(self.path) as finished:
                for batch in finished.iter_batches(_ROWS):
                    yield from batch.to_pylist()
        with self._lines.path.open(encoding="utf-8") as lines:
            for line in lines:
                said = parse_own(line)
                head = {key: _text(said.get(key)) for key in ("input", "engine", "error")}
                found = said.get("predictions") or [{}]
                first = 1 if said.get("predictions") else 0
                for rank, result in enumerate(found, first):
                    yield {**head, "rank": rank, **result}

    def close(self) -> None:
        """See `ResultFile`."""
        self._lines.close()


def _has_taken_in(path: Path, lines: Path) -> bool:
    """Whether a finished file has these lines already: a kill kept them from being removed."""
    import pyarrow.parquet

    said = (pyarrow.parquet.read_schema(path).metadata or {}).get(_TAKEN_IN)
    return said is not None and lines.is_file() and hash_file(lines).sha256.encode() == said


def _inputs_in(path: Path) -> Counter[str]:
    """How often each input is in a finished file. Raises DataError: it is none of predictions."""
    import pyarrow
    import pyarrow.parquet

    found: Counter[str] = Counter()
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=["input", "rank"]):
                rows = batch.to_pylist()
                found.update(_name(row["input"]) for row in rows if row["rank"] <= 1)
    except (pyarrow.ArrowException, KeyError, TypeError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise foreign(path, why) from None
    return found


def _name(text: str) -> str:
    """The name that `_text` was given."""
    return re.sub(r"\\udc[89a-f][0-9a-f]", lambda found: chr(int(found[0][2:], 16)), text)


def _text(value: str | None) -> str | None:
    """Text as Parquet can hold it: names of files need not be UTF-8."""
    return value and value.encode("utf-8", "backslashreplace").decode("utf-8")
