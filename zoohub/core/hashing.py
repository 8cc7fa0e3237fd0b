"""SHA-256 of a file, and what it was after each of the file's pieces, in one pass."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PIECE = 8 << 20
BLOCK = 1 << 20
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class FileHash:
    """SHA-256 of a whole file (64 hex digits), the same after each piece, and its size in bytes.

    `marks` are the first 16 digits of the SHA-256 of all bytes up to the end of each 8 MiB piece,
    the last one of the whole file. The first mark that differs tells which piece of a damaged file
    is wrong; those behind it tell nothing until that piece is mended. They come with the hash that
    is made anyway; a checksum of each piece by itself would take half a second for a gigabyte.
    """

    sha256: str
    marks: tuple[str, ...]
    size: int


class RunningHash:
    """Takes a file's bytes in order; at the end tells the `FileHash`."""

    def __init__(self) -> None:
        self.size = 0
        self._whole = hashlib.sha256()
        self._states = [self._whole.copy()]  # before the first piece, and after each whole one

    def update(self, data: memoryview) -> None:
        """Take the next bytes, any number of them."""
        while data:
            part = data[: PIECE - self.size % PIECE]
            self._whole.update(part)
            self.size += len(part)
            if self.size % PIECE == 0:
                self._states.append(self._whole.copy())
            data = data[len(part) :]

    def rewind(self, piece: int) -> None:
        """Forget the bytes from the start of a piece on: they have changed."""
        del self._states[piece + 1 :]
        self._whole = self._states[piece].copy()
        self.size = piece * PIECE

    def result(self) -> FileHash:
        """The hashes of all bytes taken so far."""
        sha256 = self._whole.hexdigest()
        marks = [state.hexdigest()[:_DIGITS] for state in self._states[1:]]
        last = [] if self.size % PIECE == 0 else [sha256[:_DIGITS]]
        return FileHash(sha256, (*marks, *last), self.size)


def hash_file(path: Path) -> FileHash:
    """Hash a file at about the speed of SHA-256, with 1 MiB of memory."""
    running = RunningHash()
    buffer = memoryview(bytearray(BLOCK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            running.update(buffer[:count])
    return running.result()


def first_damaged(expected: Sequence[str], found: Sequence[str]) -> int | None:
    """Number of the first piece that is missing or differs, by the marks; None if none does."""
    for number, mark in enumerate(expected):
        if number >= len(found) or found[number] != mark:
            return number
    return None
