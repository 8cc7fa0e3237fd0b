"""The file that predictions go into, of the kind that was asked for."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock, Timeout

from zoohub.core.locks import let_go, lock_now
from zoohub.errors import DataError
from zoohub.predicting.csv_file import Csv
from zoohub.predicting.json_lines import JsonLines
from zoohub.predicting.parquet_file import Parquet
from zoohub.predicting.result_file import ResultFile, telling


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
        DataError: there is a file already, or one of another kind, another process writes it, or
            it cannot be written.
    """
    kinds: dict[str, type[JsonLines] | type[Csv] | type[Parquet]]
    kinds = {"jsonl": JsonLines, "csv": Csv, "parquet": Parquet}
    check_free(path, resume=resume)
    with ExitStack() as held:
        held.callback(let_go, _own(path))
        check_free(path, resume=resume)  # another process may have written it meanwhile
        file = kinds[format](path, resume=resume)
        file.held = held.pop_all()
    return file


def _own(path: Path) -> FileLock:
    """The lock on a file of results. Raises DataError: another process writes it, or nobody can."""
    with telling(path):
        try:
            return lock_now(path.with_name(f".{path.name}.lock"))
        except Timeout:
            raise DataError(
                f"another process writes {path}: wait for it, or name another file"
            ) from None
