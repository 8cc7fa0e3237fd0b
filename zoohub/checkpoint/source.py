"""A file mapped into memory, and what its first bytes say it is."""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from zoohub.errors import CheckpointCorrupt, CheckpointError

# MindSpore's encryption modes: AES-GCM, AES-CBC, SM4-CBC (little-endian magic numbers).
_ENCRYPTED = (b"\xd8\x5e\x3a\x7f", b"\xd9\x5e\x3a\x7f", b"\xda\x5e\x3a\x7f")
_LEGACY_TORCH = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

_AHEAD = 256 * 1024

_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (
        b"version https://git-lfs",
        "a git-LFS pointer, not the file it points to (run `git lfs pull`)",
    ),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF document"),
    (b"\x93NUMPY", "a NumPy array file"),
    (b"\x7fELF", "a program"),
    (b"<?xml", "an XML document (often a server's error message)"),
)


class Source:
    """A read-only file, mapped privately: writing to the memory never reaches the file.

    Arrays made over `buffer` keep the mapping alive for as long as they live; there is nothing to
    close. The file must not be truncated meanwhile (zoohub's store never changes a file in place).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self.size = file.seek(0, 2)
                if self.size == 0:
                    raise CheckpointCorrupt(
                        f"{path} is empty (0 bytes), not a checkpoint. Download it again."
                    )
                self.buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} cannot be read: {error}") from None

    def corrupt(self, offset: int, found: str) -> NoReturn:
        """Raise CheckpointCorrupt naming the file, the offset and what was found there."""
        raise CheckpointCorrupt(
            f"{self.path} is damaged or no checkpoint: at byte {offset} of {self.size}: {found}. "
            "Download it again, or check where it came from."
        )

    def advise(self, advice: str) -> None:
        """Tell the kernel how the map will be used (`MADV_RANDOM`, …)."""
        value = getattr(mmap, advice, None)
        if value is not None and hasattr(self.buffer, "madvise"):
            self.buffer.madvise(value)


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


def refuse_foreign(source: Source) -> None:
    """Say so where the first bytes belong to something that is surely no checkpoint.

    Raises:
        CheckpointCorrupt: an error page, an archive, a git-LFS pointer, an encrypted file…
        CheckpointError: a whole file of a kind zoohub does not read (PyTorch before 1.6).
    """
    start = bytes(source.buffer[:512])
    if start.startswith(_ENCRYPTED):
        raise CheckpointCorrupt(
            f"{source.path} is encrypted by MindSpore (save_checkpoint with enc_key). zoohub reads "
            "plain files: load it with mindspore.load_checkpoint(dec_key=…) and save it again."
        )
    if start.startswith(_LEGACY_TORCH):
        raise CheckpointError(
            f"{source.path} is in PyTorch's format from before 1.6, a bare pickle. zoohub reads "
            "the zip format: load it with torch.load and save it again with torch.save."
        )
    # A .safetensors begins with a length, which can look like any of the magic numbers below.
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < source.size:
        return
    for magic, name in _FOREIGN:
        if start.startswith(magic):
            source.corrupt(0, f"{name} (begins with {start[:16]!r})")
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head")):
        source.corrupt(0, f"an HTML page, often a server's error message ({start[:40]!r})")
    if not start.strip(b"\x00") and source.buffer.find(b"\x01", 0, 4096) < 0:
        source.corrupt(0, "only zeros: the file was reserved but never written")
