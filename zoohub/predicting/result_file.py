"""Predictions written into a file as they come, so that a killed run can go on where it was.

Each input is written at once, and what the file has is read back from its end to its beginning
being intact: a last line that was cut off is taken away, and its input predicted again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO

from zoohub.errors import DataError
from zoohub.tasks.results import AnyPrediction


class ResultFile(ABC):
    """A file that takes predictions; a context manager.

    `done` says how often each input is in it already; `held` is let go after the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held = ExitStack()
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
        with self.held, telling(self.path):  # closing tries once more to write what had no room
            try:
                if kind is None:
                    self.finish()
            finally:
                self.close()


def open_bytes(path: Path, *, resume: bool) -> IO[bytes]:
    """The file at `path` to write into, empty or, with `resume`, as it is; its folder is made."""
    with telling(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("r+b" if resume and path.exists() else "w+b")


def put(file: IO[bytes], text: str, path: Path) -> None:
    """Write a text, which is in the file when this returns; names of files need not be UTF-8."""
    with telling(path):
        file.write(text.encode("utf-8", "surrogateescape"))
        file.flush()


class telling:  # noqa: N801 - reads as a verb
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


def begins(found: bytes, wanted: bytes) -> bool:
    """Whether bytes begin as wanted, as far as they go."""
    length = min(len(found), len(wanted))
    return found[:length] == wanted[:length]


def foreign(path: Path, why: str) -> DataError:
    """What to say of a file that is there and none of ours."""
    return DataError(f"{path} is no file of predictions to go on with: {why}")
