"""SHA-256 of a file and a checksum of each of its pieces, in one pass."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PIECE = 8 << 20
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileHash:
    """SHA-256 of a whole file (64 hex digits), CRC-32 of each 8 MiB piece, and its size in bytes.

    The pieces only tell where a damaged file differs; whether it is right, and whether a repair
    made it so, SHA-256 alone decides. A second SHA-256 for them would take 0.75 s for a gigabyte
    here, CRC-32 takes 0.25 s.
    """

    sha256: str
    pieces: tuple[str, ...]
    size: int


class RunningHash:
    """Takes a file's bytes in order; at the end tells the `FileHash`."""

    def __init__(self) -> None:
        self.size = 0
        self._whole = hashlib.sha256()
        self._piece = 0
        self._pieces: list[str] = []

    def update(self, data: memoryview) -> None:
        """Take the next bytes, any number of them."""
        self._whole.update(data)
        while data:
            room = PIECE - self.size % PIECE
            part = data[:room]
            self._piece = zlib.crc32(part, self._piece)
            self.size += len(part)
            if len(part) == room:
                self._pieces.append(f"{self._piece:08x}")
                self._piece = 0
            data = data[room:]

    def result(self) -> FileHash:
        """The hashes of all bytes taken so far."""
        last = () if self.size % PIECE == 0 else (f"{self._piece:08x}",)
        return FileHash(self._whole.hexdigest(), (*self._pieces, *last), self.size)


def hash_file(path: Path) -> FileHash:
    """Hash a file at about the speed of SHA-256, with 1 MiB of memory."""
    running = RunningHash()
    buffer = memoryview(bytearray(BLOCK))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            running.update(buffer[:count])
    return running.result()


def damaged_pieces(expected: Sequence[str], found: Sequence[str]) -> list[int]:
    """Numbers of the pieces that are missing or differ."""
    return [
        number
        for number, piece in enumerate(expected)
        if number >= len(found) or found[number] != piece
    ]
