"""A zip archive as PyTorch writes it: where each stored member's bytes lie, and writing one.

PyTorch stores its members without compression, so a member is a plain stretch of the file, which
can be viewed in place. The directory is Python's `zipfile`'s business.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

from zoohub.checkpoint.source import Source
from zoohub.core.counting import counted

_LOCAL_SIZE = 30
_END_SIZE = 22
_MAX_MEMBERS = 1_000_000
_ALIGNMENT = 64
_ZIP64_FIELD = 20
_ZIP64_FROM = (1 << 31) - 1  # zipfile's own limit


@dataclass(frozen=True, slots=True)
class Member:
    """An archive member: its data's offset and size in bytes, and its CRC-32."""

    name: str
    offset: int
    size: int
    crc: int


def read_directory(source: Source) -> dict[str, Member]:
    """All members by name.

    Raises:
        CheckpointCorrupt: the archive is cut short, damaged or compressed.
    """
    end = source.buffer.rfind(b"PK\x05\x06", max(0, source.size - 65557))
    if end < 0 or end + _END_SIZE > source.size:
        source.corrupt(source.size, "the end, without the directory that ends a zip archive")
    try:
        with zipfile.ZipFile(_Reader(source)) as archive:
            entries = archive.infolist()
    except Exception as error:  # of damage, zipfile makes errors of a dozen kinds
        source.corrupt(
            source.size, f"a zip directory that is damaged or reaches beyond the end ({error})"
        )
    if len(entries) > _MAX_MEMBERS:
        source.corrupt(source.size, f"a zip directory of {len(entries)} members")
    members: dict[str, Member] = {}
    for entry in entries:
        if entry.filename in members:
            source.corrupt(entry.header_offset, f"a second member {entry.filename[:80]!r}")
        members[entry.filename] = _member(source, entry)
    return members


def check_member(source: Source, member: Member) -> None:
    """Compare a member's bytes with its CRC-32; raises CheckpointCorrupt.

    PyTorch can be told not to compute it (`set_crc32_options`), and then records 0.
    """
    if member.crc == 0:
        return
    computed = 0
    for chunk in source.chunks(member.offset, member.offset + member.size):
        computed = zlib.crc32(chunk, computed)
    if computed != member.crc:
        source.corrupt(
            member.offset,
            f"member {member.name!r}, whose CRC {member.crc:#x} is recorded, gives {computed:#x}",
        )


def store(archive: zipfile.ZipFile, name: str, data: bytes | memoryview) -> None:
    """Append a stored member whose data begins at a multiple of 64 bytes, as PyTorch's do."""
    entry = zipfile.ZipInfo(name)  # dated 1980: the same input gives the same bytes
    wide = len(data) * 1.05 > _ZIP64_FROM
    head = _LOCAL_SIZE + len(name.encode()) + 4 + (_ZIP64_FIELD if wide else 0)
    padding = -(archive.start_dir + head) % _ALIGNMENT
    entry.extra = struct.pack("<2H", 0x4246, padding) + b"Z" * padding
    entry.file_size = len(data)
    with archive.open(entry, "w", force_zip64=wide) as member:
        member.write(data)


def _member(source: Source, entry: zipfile.ZipInfo) -> Member:
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        encrypted = entry.flag_bits & 1
        how = "encrypted" if encrypted else f"compressed (method {entry.compress_type})"
        source.corrupt(
            entry.header_offset,
            f"the zip member {entry.filename[:80]!r}, {how}: PyTorch stores plainly",
        )
    head = source.buffer[entry.header_offset : entry.header_offset + _LOCAL_SIZE]
    if len(head) < _LOCAL_SIZE or not head.startswith(b"PK\x03\x04"):
        source.corrupt(
            min(max(entry.header_offset, 0), source.size),
            f"no member where {entry.filename[:80]!r} should begin",
        )
    names, extras = struct.unpack_from("<2H", head, 26)
    start = entry.header_offset + _LOCAL_SIZE + names + extras
    if entry.compress_size != entry.file_size or start + entry.file_size > source.size:
        source.corrupt(
            start, f"{entry.filename[:80]!r} of {counted(entry.file_size, 'byte')}, beyond the end"
        )
    return Member(entry.filename, start, entry.file_size, entry.CRC)


class _Reader(io.RawIOBase):
    """A source as the file object that `zipfile` reads."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.size}[whence]
        if start + offset < 0:
            raise OSError("a place before the file's beginning")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        # The base class would first take as much memory as a damaged directory asks for.
        stop = self._source.size if size < 0 else min(self._at + size, self._source.size)
        data = bytes(self._source.buffer[self._at : stop])
        self._at += len(data)
        return data
