"""The bytes of one checkpoint: a published file mapped, a file of the user's own read, or memory.

Mapped    a file of the store, which nobody changes: its tensors are views, nothing is copied
Opened    anybody's file: it may be overwritten or cut short at any moment, and a map would
          follow (changed weights, SIGBUS); so each tensor is read when it is asked for
Held      bytes that are in memory already
"""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from zoohub.checkpoint.pages import Pages
from zoohub.errors import CheckpointCorrupt, CheckpointError

_AHEAD = 256 * 1024
_CHUNK = 1 << 24
_AT_ONCE = 1 << 30  # Linux reads at most 2 GB in one call

Bytes = npt.NDArray[np.uint8]


class Source:
    """A read-only checkpoint. `buffer` is for headers: indexed, sliced and searched like bytes."""

    path: Path
    size: int
    buffer: mmap.mmap | bytearray | Pages
    # Whether `data` gives memory that nobody else has.
    fresh = False

    def data(self, offset: int, length: int) -> Bytes:
        """A stretch of the file as writable memory; writing to it never reaches the file."""
        raise NotImplementedError

    def chunks(self, start: int, stop: int) -> Iterator[bytes | memoryview]:
        """The bytes from `start` to `stop`, some megabytes at a time."""
        for offset in range(start, stop, _CHUNK):
            yield self.data(offset, min(_CHUNK, stop - offset)).data

    def settled(self) -> None:
        """Say that the headers have been read, which lie far apart; the data follows."""

    def corrupt(self, offset: int, found: str) -> NoReturn:
        """Raise CheckpointCorrupt naming the file, the offset and what was found there."""
        raise CheckpointCorrupt(
            f"{self.path} is damaged or no checkpoint: at byte {offset} of {self.size}: {found}. "
            "Download it again, or check where it came from."
        )

    def _check_size(self) -> None:
        if self.size == 0:
            raise CheckpointCorrupt(
                f"{self.path} is empty (0 bytes), not a checkpoint. Download it again."
            )


class Mapped(Source):
    """A file mapped privately: writing to the memory never reaches the file.

    Arrays made over it keep the mapping alive for as long as they live; there is nothing to close.
    Only for files that nobody changes in place (zoohub's store never does).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self.size = file.seek(0, 2)
                self._check_size()
                self.buffer: mmap.mmap = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
        self._advise("MADV_RANDOM")

    def data(self, offset: int, length: int) -> Bytes:
        """A view of the map."""
        return np.frombuffer(self.buffer, np.uint8, length, offset)

    def settled(self) -> None:
        """Tell the kernel."""
        self._advise("MADV_NORMAL")

    def _advise(self, advice: str) -> None:
        value = getattr(mmap, advice, None)
        if value is not None and hasattr(self.buffer, "madvise"):
            self.buffer.madvise(value)


class Opened(Source):
    """A file that is read: headers in pages, each tensor into memory of its own when asked for.

    It stays open until nothing uses it. If it changes meanwhile, reading on is refused.
    """

    fresh = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._file = path.open("rb", buffering=0)
            weakref.finalize(self, self._file.close)
            self._seen = self._state()
            self.size = self._file.seek(0, 2)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
        self._check_size()
        self.buffer: Pages = Pages(self.size, self._read)

    def data(self, offset: int, length: int) -> Bytes:
        """Those bytes of the file, in new memory."""
        found = np.empty(length, np.uint8)
        self._read(offset, found.data)
        return found

    def _state(self) -> tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns

    def _read(self, offset: int, target: memoryview) -> None:
        try:
            with self._lock:
                self._file.seek(offset)
                done = 0
                while done < len(target):
                    count = self._file.readinto(target[done : done + _AT_ONCE])
                    if not count:
                        break
                    done += count
                changed = self._state() != self._seen
        except OSError as error:
            raise _unreadable(self.path, error) from None
        if changed or done < len(target):
            raise CheckpointError(
                f"{self.path} changed while it was being read; nothing was loaded. Try again when "
                "whatever writes it has finished."
            )


class Held(Source):
    """A checkpoint in memory; `name` stands for the file's in messages."""

    def __init__(self, data: bytes | bytearray | memoryview, name: str = "the data") -> None:
        self.path = Path(name)
        self.buffer: bytearray = bytearray(data)
        self.size = len(self.buffer)
        self._check_size()

    def data(self, offset: int, length: int) -> Bytes:
        """A view of the memory."""
        return np.frombuffer(self.buffer, np.uint8, length, offset)


def read_ahead(path: Path) -> None:
    """Have the system bring a file into memory, without waiting for it (Linux and BSD).

    What is wrong with the file, opening it says.
    """
    if not hasattr(os, "posix_fadvise"):
        return
    # Linux follows this advice for a few hundred kilobytes at a time, whatever length is named;
    # its madvise(MADV_WILLNEED) is no different.
    with suppress(OSError), path.open("rb") as file:
        number = file.fileno()
        for offset in range(0, os.fstat(number).st_size, _AHEAD):
            os.posix_fadvise(number, offset, _AHEAD, os.POSIX_FADV_WILLNEED)


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    if isinstance(error, FileNotFoundError):
        return CheckpointError(f"{path} cannot be read: there is no such file")
    return CheckpointError(f"{path} cannot be read: {error}")
