"""MindSpore's .ckpt: its protobuf framing walked over a mapped file, and written.

    Checkpoint  {repeated Value value = 1}
    Value       {string tag = 1; oneof {TensorProto tensor = 2; MapTensorProto maptensor = 3}}
    TensorProto {repeated int64 dims = 1; string tensor_type = 2; bytes tensor_content = 3}

A tensor above 512 MB lies in several successive values of one tag, each with the whole shape.
After the last value may come 17 bytes: `crc_num` and ten bytes of big-endian CRC-32 of all before.
Files of MindSpore 1.x write a scalar's shape as one dimension of 0.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from zoohub.checkpoint.dtypes import TYPES, plausible_shape
from zoohub.checkpoint.source import Source
from zoohub.checkpoint.weights import Contents, Located, TensorInfo
from zoohub.checkpoint.writing import Arrays, as_bytes, prepare
from zoohub.core.atomic import replacing
from zoohub.core.counting import counted
from zoohub.errors import CheckpointError

_BY_SPELLING = {t.ckpt: t for t in TYPES.values() if t.ckpt}
_TRAILER = b"crc_num"
_TRAILER_SIZE = 17
_SLICE = 512 * 1024 * 1024
_MAX_VALUES = 1_000_000
_MAX_NAME = 4096
_MAX_DIMENSIONS = 32
_MAX_TEXT = 1 << 20


class _Value(NamedTuple):
    """One record of the file: a tensor, a piece of one, or a text."""

    name: str
    dims: tuple[int, ...]
    type: str
    offset: int
    size: int


def parse_ckpt(source: Source) -> Contents:
    """Walk the records of a .ckpt; reads their headers only.

    Raises:
        CheckpointCorrupt: the framing is damaged; names the offset and what was found.
        CheckpointError: a map parameter (MindSpore's hash table), which no array can hold.
    """
    tensors: dict[str, Located] = {}
    texts: dict[str, str] = {}
    pieces: list[_Value] = []
    offset, count = 0, 0
    while offset < source.size and not _is_trailer(source, offset):
        if source.buffer[offset] != 0x0A:
            source.corrupt(offset, f"{_peek(source, offset)} where a parameter should begin")
        size, start = _varint(source, offset + 1, source.size)
        end = start + size
        if end > source.size:
            missing = end - source.size
            source.corrupt(
                offset, f"a parameter of {counted(size, 'byte')}, {missing} more than the file has"
            )
        value = _value(source, start, end)
        count += 1
        if count > _MAX_VALUES:
            source.corrupt(offset, f"more than {_MAX_VALUES} parameters")
        if pieces and pieces[0].name != value.name:
            _join(source, pieces, tensors, texts)
            pieces = []
        pieces.append(value)
        offset = end
    if pieces:
        _join(source, pieces, tensors, texts)
    if not tensors and not texts:
        source.corrupt(0, "no parameter at all")
    return Contents("ckpt", tensors, texts)


def check_crc(source: Source) -> None:
    """Compare the file with its CRC trailer, where it has one. Reads the whole file.

    Raises:
        CheckpointCorrupt: they differ.
    """
    body = source.size - _TRAILER_SIZE
    if body < 0 or not _is_trailer(source, body):
        return
    declared = int.from_bytes(source.buffer[body + len(_TRAILER) : source.size], "big")
    computed = 0
    for chunk in source.chunks(0, body):
        computed = zlib.crc32(chunk, computed)
    if computed != declared:
        source.corrupt(body, f"the CRC {declared:#x} is recorded, the bytes give {computed:#x}")


def write_ckpt(
    path: Path | str, arrays: Arrays, *, texts: Mapping[str, str] | None = None, crc: bool = False
) -> Path:
    """Write arrays as a .ckpt that MindSpore 1.x to 2.10 loads; the same input, the same bytes.

    `arrays` maps names to arrays, or is a `Weights` (whose bfloat16 stays bfloat16); the order is
    kept. `texts` become MindSpore's `str` values; `crc` appends the trailer that
    `load_checkpoint(crc_check=True)` wants. Written beside `path` and moved there when complete.

    Raises:
        CheckpointError: a name or an element type that the format cannot hold.
        OSError: the file cannot be written.
    """
    path = Path(path)
    checksum = 0
    with replacing(path) as file:

        def put(data: bytes | memoryview) -> None:
            nonlocal checksum
            file.write(data)
            if crc:
                checksum = zlib.crc32(data, checksum)

        for name, kind, array in prepare(arrays):
            if kind.ckpt is None:
                raise CheckpointError(f"{name!r} is {kind.name}, which a .ckpt cannot hold")
            data = as_bytes(array)
            for start in range(0, max(len(data), 1), _SLICE):
                piece = data[start : start + _SLICE]
                put(_head(name, array.shape, kind.ckpt, len(piece)))
                put(piece)
        for name, text in (texts or {}).items():
            content = text.encode("utf-32-le")
            put(_head(name, (0,), "str", len(content)) + content)
        if crc:
            file.write(_TRAILER + checksum.to_bytes(10, "big"))
    return path


def _is_trailer(source: Source, offset: int) -> bool:
    # 'c' can begin no record, so a walk from the front cannot mistake one for the trailer.
    return offset == source.size - _TRAILER_SIZE and source.buffer[offset : offset + 7] == _TRAILER


def _value(source: Source, start: int, end: int) -> _Value:
    name: str | None = None
    tensor: tuple[int, int] | None = None
    offset = start
    while offset < end:
        tag = source.buffer[offset]
        if tag not in (0x0A, 0x12, 0x1A):
            source.corrupt(offset, f"{_peek(source, offset)} where a name or a tensor should begin")
        low, high = _span(source, offset + 1, end)
        if tag == 0x0A and name is None:
            name = _text(source, low, high, _MAX_NAME, "a parameter's name")
        elif tag == 0x12 and tensor is None:
            tensor = (low, high)
        elif tag == 0x1A and _is_map(source, low, high):
            raise CheckpointError(
                f"{source.path}: {name!r} is a map parameter (MindSpore's MapParameter, a hash "
                "table), which zoohub does not read. Load it with mindspore.load_checkpoint."
            )
        else:
            source.corrupt(offset, f"{_peek(source, offset)} in a parameter that is complete")
        offset = high
    if not name or tensor is None:
        source.corrupt(start, "a parameter without " + ("a tensor" if name else "a name"))
    return _tensor(source, name, *tensor)


def _tensor(source: Source, name: str, start: int, end: int) -> _Value:
    dims: list[int] = []
    kind: str | None = None
    content: tuple[int, int] | None = None
    offset = start
    while offset < end:
        tag = source.buffer[offset]
        if tag == 0x08:
            size, offset = _varint(source, offset + 1, end)
            dims.append(size)
        elif tag == 0x0A:  # the packed form of the same list, which other writers may use
            low, offset = _span(source, offset + 1, end)
            while low < offset and len(dims) <= _MAX_DIMENSIONS:
                size, low = _varint(source, low, offset)
                dims.append(size)
        elif tag == 0x12 and kind is None:
            low, offset = _span(source, offset + 1, end)
            kind = _text(source, low, offset, 32, f"the type of {name!r}")
        elif tag == 0x1A and content is None:
            low, offset = _span(source, offset + 1, end)
            content = (low, offset - low)
        else:
            source.corrupt(offset, f"{_peek(source, offset)} in the tensor of {name!r}")
        if len(dims) > _MAX_DIMENSIONS:
            source.corrupt(start, f"{name!r} with more than {_MAX_DIMENSIONS} dimensions")
    if kind is None or content is None:
        source.corrupt(start, f"{name!r} without " + ("data" if kind else "a type"))
    return _Value(name, tuple(dims), kind, *content)


def _join(
    source: Source, pieces: list[_Value], tensors: dict[str, Located], texts: dict[str, str]
) -> None:
    """File the tensor (or text) that successive records of one name make up."""
    first = pieces[0]
    at = first.offset
    if first.name in tensors or first.name in texts:
        source.corrupt(at, f"{first.name!r} for a second time")
    if len(pieces) > 1 and any((p.dims, p.type) != (first.dims, first.type) for p in pieces):
        source.corrupt(at, f"pieces of {first.name!r} that disagree on its shape or type")
    size = sum(p.size for p in pieces)
    if first.type == "str":
        content = b"".join(source.buffer[p.offset : p.offset + p.size] for p in pieces[:1])
        if len(pieces) > 1 or size > _MAX_TEXT:
            source.corrupt(
                at, f"a text of {counted(size, 'byte')} in {counted(len(pieces), 'piece')}"
            )
        try:
            texts[first.name] = content.decode("utf-32-le")
        except UnicodeDecodeError:
            source.corrupt(at, f"a text in {first.name!r} that is no UTF-32")
        return
    kind = _BY_SPELLING.get(first.type)
    if kind is None:
        source.corrupt(at, f"{first.name!r} of the unknown type {first.type[:40]!r}")
    shape = () if first.dims == (0,) and size == kind.size else first.dims
    info = TensorInfo(shape, kind.name)
    if info.nbytes != size:
        source.corrupt(
            at,
            f"{counted(size, 'byte')} for {first.name!r}, {info.nbytes} expected "
            f"({kind.name} {shape})",
        )
    if not plausible_shape(shape):
        source.corrupt(at, f"{first.name!r} with the impossible shape {shape}")
    tensors[first.name] = Located(info, tuple((p.offset, p.size) for p in pieces))


def _is_map(source: Source, start: int, end: int) -> bool:
    """Whether the bytes are framed as MapTensorProto {repeated TensorProto tensor = 1}."""
    while start < end and source.buffer[start] == 0x0A:
        start += 1
        size = shift = 0
        while start < end and shift < 63:
            byte = source.buffer[start]
            start += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        start += size
    return start == end


def _varint(source: Source, offset: int, end: int) -> tuple[int, int]:
    """The number at `offset` (below 2**63), and the offset behind it."""
    if offset < end and source.buffer[offset] < 0x80:  # nearly all of them: one byte
        return source.buffer[offset], offset + 1
    number = 0
    for index in range(9):
        if offset + index >= end:
            source.corrupt(offset, "a number cut short")
        byte = source.buffer[offset + index]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, offset + index + 1
    source.corrupt(offset, "a number of more than 63 bits")


def _span(source: Source, offset: int, end: int) -> tuple[int, int]:
    """Start and end of the bytes whose length stands at `offset`."""
    size, start = _varint(source, offset, end)
    if start + size > end:
        source.corrupt(
            offset,
            f"a field of {counted(size, 'byte')} where {counted(end - start, 'is', 'are')} left",
        )
    return start, start + size


def _text(source: Source, start: int, end: int, limit: int, what: str) -> str:
    if end - start > limit:
        source.corrupt(start, f"{what} of {end - start} bytes")
    try:
        return source.buffer[start:end].decode("utf-8")
    except UnicodeDecodeError:
        source.corrupt(start, f"{what} that is no UTF-8: {source.buffer[start : start + 16]!r}")


def _peek(source: Source, offset: int) -> str:
    return repr(source.buffer[offset : offset + 8])


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _head(name: str, shape: tuple[int, ...], kind: str, size: int) -> bytes:
    """All bytes of a record before its data."""
    tag = name.encode()
    tensor = b"".join(b"\x08" + _number(n) for n in shape)
    tensor += b"\x12" + _number(len(kind)) + kind.encode() + b"\x1a" + _number(size)
    value = b"\x0a" + _number(len(tag)) + tag + b"\x12" + _number(len(tensor) + size) + tensor
    return b"\x0a" + _number(len(value) + size) + value
