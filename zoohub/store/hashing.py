"""SHA-256 of a file and of each of its pieces, in one pass."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

PIECE = 8 << 20
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileHash:
    """SHA-256 of a whole file (64 hex digits), of each 8 MiB piece, and its size in bytes."""

    sha256: str
    pieces: tuple[str, ...]
    size: int


class RunningHash:
    """Takes a file's bytes in order; at the end tells the `FileHash`."""

    def __init__(self) -> None:
        self.size = 0
        self._whole = hashlib.sha256()
        self._piece = hashlib.sha256()
        self._pieces: list[str] = []

    def update(self, data: memoryview) -> None:
        """Take the next bytes, any number of them."""
        self._whole.update(data)
        while data:
            room = PIECE - self.size % PIECE
            part = data[:room]
            self._piece.update(part)
            self.size += len(part)
            if len(part) == room:
                self._pieces.append(self._piece.hexdigest())
                self._piece = hashlib.sha256()
            data = data[room:]

    def result(self) -> FileHash:
        """The hashes of all bytes taken so far."""
        last = () if self.size % PIECE == 0 else (self._piece.hexdigest(),)
        return FileHash(self._whole.hexdigest(), (*self._pieces, *last), self.size)


def hash_file(path: Path) -> FileHash:
    """Hash a file at about the speed of SHA-256, with 1 MiB of memory."""
    running = RunningHash()
    buffer = memoryview(bytearray(BLOCK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            running.update(buffer[:count])
    return running.result()
