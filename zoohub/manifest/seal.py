"""The seal of a local index: a checksum within the SQLite file itself."""

from __future__ import annotations

import zlib
from pathlib import Path

from zoohub.errors import ManifestError

# SQLite leaves four bytes of its header to us; there stands the checksum of all the others.
_SEAL_AT, _SEAL_END = 68, 72
_CHECKED_UP_TO = 32 << 20  # what is read in some 20 ms


def _checksum(path: Path) -> int:
    data = path.read_bytes()
    return zlib.crc32(data[_SEAL_END:], zlib.crc32(data[:_SEAL_AT]))


def seal(path: Path) -> None:
    """Write the checksum of a small database into it; a large one would take too long to check."""
    if path.stat().st_size <= _CHECKED_UP_TO:
        checksum = _checksum(path)
        with path.open("r+b") as file:
            file.seek(_SEAL_AT)
            file.write(checksum.to_bytes(4, "big"))


def check_seal(path: Path) -> None:
    """Refuse a database of which a byte has changed: SQLite itself would show it as it is.

    Raises:
        ManifestError: it has, or cannot be read.
    """
    try:
        if path.stat().st_size > _CHECKED_UP_TO:
            return
        with path.open("rb") as file:
            file.seek(_SEAL_AT)
            stated = int.from_bytes(file.read(_SEAL_END - _SEAL_AT), "big")
        if _checksum(path) != stated:
            raise ManifestError(f"the compiled index {path} is damaged")
    except OSError as error:
        raise ManifestError(f"the compiled index {path} cannot be opened: {error}") from None
