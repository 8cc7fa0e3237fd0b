"""The directory of a zip archive over a mapped file: where each stored member's bytes lie.

PyTorch stores its members without compression, so a member is a plain stretch of the file. Only
what such archives use is read: one disk, no compression, no encryption, zip64.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from zoohub.checkpoint.source import Source

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_MEMBERS = 1_000_000


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
    count, size, offset = _end(source)
    if offset + size > source.size:
        source.corrupt(offset, f"a directory of {size} bytes, beyond the end")
    if count > _MAX_MEMBERS or count * _ENTRY.size > size:
        source.corrupt(offset, f"a directory of {count} members in {size} bytes")
    members: dict[str, Member] = {}
    end = offset + size
    for _ in range(count):
        member, offset = _entry(source, offset, end)
        if member.name in members:
            source.corrupt(offset, f"a second member {member.name!r}")
        members[member.name] = member
    if offset != end:
        source.corrupt(offset, f"{end - offset} bytes behind the last of {count} members")
    return members


def check_member(source: Source, member: Member) -> None:
    """Compare a member's bytes with its CRC-32; raises CheckpointCorrupt."""
    computed = 0
    with memoryview(source.buffer) as view:
        for start in range(member.offset, member.offset + member.size, 1 << 24):
            stop = min(start + (1 << 24), member.offset + member.size)
            computed = zlib.crc32(view[start:stop], computed)
    if computed != member.crc:
        source.corrupt(
            member.offset,
            f"member {member.name!r}, whose CRC {member.crc:#x} is recorded, gives {computed:#x}",
        )


def _end(source: Source) -> tuple[int, int, int]:
    """Number of members, and size and offset of the directory."""
    at = source.buffer.rfind(b"PK\x05\x06", max(0, source.size - 65557))
    if at < 0 or at + _END.size > source.size:
        source.corrupt(source.size, "the end, without the directory that ends a zip archive")
    _, disk, first, here, count, size, offset, comment = _END.unpack_from(source.buffer, at)
    if at + _END.size + comment != source.size:
        source.corrupt(at, "a zip directory's end that is not at the end of the file")
    locator = at - _END64_LOCATOR.size
    if locator >= 0 and source.buffer[locator : locator + 4] == b"PK\x06\x07":
        _, _, end64, _ = _END64_LOCATOR.unpack_from(source.buffer, locator)
        if end64 + _END64.size > locator or source.buffer[end64 : end64 + 4] != b"PK\x06\x06":
            source.corrupt(locator, f"a zip64 directory's end said to be at {end64}")
        fields = _END64.unpack_from(source.buffer, end64)
        disk, first, here, count, size, offset = fields[4:]
    if disk or first or here != count:
        source.corrupt(at, "a zip archive in several parts")
    return count, size, offset


def _entry(source: Source, offset: int, end: int) -> tuple[Member, int]:
    """The member whose directory entry begins at `offset`, and the offset behind the entry."""
    if offset + _ENTRY.size > end or source.buffer[offset : offset + 4] != b"PK\x01\x02":
        source.corrupt(offset, f"{source.buffer[offset : offset + 4]!r} in the zip directory")
    (_, _, _, flags, method, _, _, crc, packed, size, name_size, extra_size, comment_size) = (
        _ENTRY.unpack_from(source.buffer, offset)[:13]
    )
    local = _ENTRY.unpack_from(source.buffer, offset)[16]
    name_at = offset + _ENTRY.size
    extra_at = name_at + name_size
    behind = extra_at + extra_size + comment_size
    if behind > end:
        source.corrupt(offset, "a zip member's entry that is cut short")
    try:
        name = source.buffer[name_at:extra_at].decode("utf-8")
    except UnicodeDecodeError:
        source.corrupt(name_at, "a zip member's name that is no UTF-8")
    extra = source.buffer[extra_at : extra_at + extra_size]
    size, packed, local = _widen(source, extra_at, extra, size, packed, local)
    if method != 0 or flags & 1 or packed != size:
        how = "encrypted" if flags & 1 else f"compressed (method {method})"
        source.corrupt(offset, f"the zip member {name!r}, {how}: PyTorch stores plainly")
    return Member(name, _data_offset(source, name, local, size), size, crc), behind


def _widen(
    source: Source, at: int, extra: bytes, size: int, packed: int, local: int
) -> tuple[int, int, int]:
    """The three numbers, taken from the zip64 field where 32 bits did not do."""
    values = [size, packed, local]
    missing = [index for index, value in enumerate(values) if value == 0xFFFFFFFF]
    cursor = 0
    while missing and cursor + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, cursor)
        cursor += 4
        if kind == 1 and cursor + length <= len(extra) and length >= 8 * len(missing):
            for index in missing:
                (values[index],) = struct.unpack_from("<Q", extra, cursor)
                cursor += 8
            return values[0], values[1], values[2]
        cursor += length
    if missing:
        source.corrupt(at, "a zip member above 4 GB without its zip64 field")
    return size, packed, local


def _data_offset(source: Source, name: str, local: int, size: int) -> int:
    if local + _LOCAL.size > source.size or source.buffer[local : local + 4] != b"PK\x03\x04":
        source.corrupt(min(local, source.size), f"no member where {name!r} should begin")
    name_size, extra_size = _LOCAL.unpack_from(source.buffer, local)[9:]
    start = local + _LOCAL.size + name_size + extra_size
    if start + size > source.size:
        source.corrupt(start, f"{name!r} of {size} bytes, beyond the end")
    return int(start)
