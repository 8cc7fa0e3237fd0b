"""The file that predictions go into, of the kind that was asked for."""

from __future__ import annotations

from pathlib import Path

from zoohub.errors import DataError
from zoohub.predicting.csv_file import Csv
from zoohub.predicting.json_lines import JsonLines
from zoohub.predicting.parquet_file import Parquet
from zoohub.predicting.result_file import ResultFile


def check_free(path: Path, *, resume: bool) -> None:
    """That a file may be written, or gone on with. Raises DataError: there is one already, a folder
    or what is no file."""
    if path.is_dir():
        raise DataError(f"{path} is a folder; name a file in it")
    if path.exists() and not path.is_file():  # what is in a device has no end
        raise DataError(
            f"{path} is a device or pipe; name a file, which results are read back from"
        )
    if not resume and path.exists() and path.stat().st_size:
        raise DataError(f"{path} is there already: --resume goes on with it, or remove it")


def open_result_file(path: Path, format: str, *, resume: bool) -> ResultFile:
    """The file for predictions at `path`, as `jsonl`, `csv` or `parquet`.

    With `resume` it goes on where an earlier run was; without, there must be nothing there.

    Raises:
        DataError: there is a file already, or one of another kind, or it cannot be written.
    """
    check_free(path, resume=resume)
    kinds: dict[str, type[JsonLines] | type[Csv] | type[Parquet]]
    kinds = {"jsonl": JsonLines, "csv": Csv, "parquet": Parquet}
    return kinds[format](path, resume=resume)
