"""PyTorch's zip format (.pth, .pt): weights only, without PyTorch and without running pickles.

An archive `NAME/` holds `data.pkl`, a pickle of the dict with tensor descriptions, and the
tensors' memory as `data/0`, `data/1`, …, uncompressed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from zoohub.checkpoint.archive import Member, check_member, read_directory
from zoohub.checkpoint.atomic import replacing
from zoohub.checkpoint.dtypes import TYPES
from zoohub.checkpoint.pickles import Refused, TensorRef, read_pickle
from zoohub.checkpoint.source import Source
from zoohub.checkpoint.weights import Contents, Located, TensorInfo
from zoohub.checkpoint.writing import Arrays, as_bytes, prepare
from zoohub.errors import CheckpointError

_MAX_PICKLE = 1 << 26
# Where training scripts put the weights beside optimiser and epoch, most wanted first.
_PLACES = ("state_dict", "model_state_dict", "model", "net", "network", "params", "weights")
_ALIGNMENT = 64


def parse_pth(source: Source) -> Contents:
    """Read the descriptions of all tensors of a PyTorch zip file.

    The weights are the dict itself, else its one member that is a dict of tensors (`state_dict`
    and `model` come first; the optimiser's state is no such dict).

    Raises:
        CheckpointCorrupt: the archive or its pickle is damaged, or asks for anything but tensors.
        CheckpointError: no weights, or several sets of them, or big-endian data.
    """
    members = read_directory(source)
    prefix, pickle = _find_pickle(source, members)
    order = members.get(f"{prefix}byteorder")
    if order and source.buffer[order.offset : order.offset + order.size] != b"little":
        raise CheckpointError(f"{source.path} was written on a big-endian machine")
    check_member(source, pickle)
    try:
        content = read_pickle(source.buffer[pickle.offset : pickle.offset + pickle.size])
    except Refused as error:
        source.corrupt(pickle.offset + error.position, str(error))
    except RecursionError:
        source.corrupt(pickle.offset, "a pickle nested too deep")
    references = _weights(source, content)
    uses: dict[str, int] = {}
    for reference in references.values():
        uses[reference.storage.key] = uses.get(reference.storage.key, 0) + 1
    tensors = {
        name: _located(source, members, prefix, name, ref, shared=uses[ref.storage.key] > 1)
        for name, ref in references.items()
    }
    return Contents("pth", tensors)


def check_members(source: Source) -> None:
    """Compare every member with its CRC-32. Reads the whole file. Raises CheckpointCorrupt."""
    for member in read_directory(source).values():
        check_member(source, member)


def write_pth(path: Path | str, arrays: Arrays) -> Path:
    """Write arrays as a dict of tensors that `torch.load(path, weights_only=True)` reads.

    `arrays` maps names to arrays, or is a `Weights`; the order is kept. The same input gives the
    same bytes, every tensor aligned to 64 bytes.

    Raises:
        CheckpointError: an element type PyTorch's format cannot hold (unsigned above 8 bits).
        OSError: the file cannot be written.
    """
    path = Path(path)
    described = [(name, kind, array.shape) for name, kind, array in prepare(arrays)]
    pickle = bytearray(b"\x80\x02}(")
    for index, (name, kind, shape) in enumerate(described):
        if kind.torch is None:
            raise CheckpointError(f"{name!r} is {kind.name}, which a .pth cannot hold")
        pickle += _pickled_tensor(name, kind.torch, index, shape)
    pickle += b"u."
    with replacing(path) as file:
        directory: list[bytes] = []
        _store(file, directory, "archive/data.pkl", bytes(pickle))
        _store(file, directory, "archive/byteorder", b"little")
        for index, (_, _, array) in enumerate(prepare(arrays)):
            _store(file, directory, f"archive/data/{index}", as_bytes(array))
        _store(file, directory, "archive/version", b"3\n")
        _finish(file, directory)
    return path


def _find_pickle(source: Source, members: dict[str, Member]) -> tuple[str, Member]:
    found = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(found) != 1:
        names = ", ".join(sorted(members)[:5])
        source.corrupt(0, f"a zip archive that PyTorch did not write (members: {names or 'none'})")
    if f"{found[0][:-8]}constants.pkl" in members:
        raise CheckpointError(f"{source.path} is a TorchScript program, not a dict of weights")
    if members[found[0]].size > _MAX_PICKLE:
        source.corrupt(members[found[0]].offset, f"a pickle above {_MAX_PICKLE} bytes")
    return found[0][: -len("data.pkl")], members[found[0]]


def _weights(source: Source, content: Any) -> dict[str, TensorRef]:
    """The tensors by name, wherever in the file's dict they are."""
    if isinstance(content, dict):
        direct = _tensors_of(content)
        if direct:
            return direct
        sets = {key: found for key, value in content.items() if (found := _tensors_of(value))}
        for place in _PLACES:
            if place in sets:
                return sets[place]
        if len(sets) == 1:
            return next(iter(sets.values()))
        if sets:
            names = ", ".join(sorted(str(key) for key in sets))
            raise CheckpointError(f"{source.path} has several sets of weights: {names}")
    raise CheckpointError(f"{source.path} is a PyTorch file without a dict of tensors in it")


def _tensors_of(value: Any) -> dict[str, TensorRef]:
    if not isinstance(value, dict):
        return {}
    return {
        key: item
        for key, item in value.items()
        if isinstance(key, str) and isinstance(item, TensorRef)
    }


def _located(
    source: Source,
    members: dict[str, Member],
    prefix: str,
    name: str,
    reference: TensorRef,
    *,
    shared: bool,
) -> Located:
    storage = reference.storage
    member = members.get(f"{prefix}data/{storage.key}")
    if member is None:
        source.corrupt(source.size, f"no data for {name[:80]!r} (member data/{storage.key[:40]})")
    if member.size != storage.count * TYPES[storage.dtype].size:
        source.corrupt(
            member.offset, f"{member.size} bytes for {storage.count} elements of {storage.dtype}"
        )
    info = TensorInfo(reference.shape, reference.dtype)
    start = reference.offset * TYPES[info.dtype].size
    steps = zip(reference.shape, reference.strides, strict=True)
    last = sum((size - 1) * stride for size, stride in steps) + 1 if info.nbytes else 0
    if start + last * TYPES[info.dtype].size > member.size or info.nbytes > member.size:
        source.corrupt(
            member.offset, f"{name[:80]!r} {info.shape} reaching beyond its {member.size} bytes"
        )
    strides = None if reference.strides == _row_major(info.shape) else reference.strides
    if strides is not None and info.nbytes in (0, TYPES[info.dtype].size):
        strides = None  # with one element or none, strides mean nothing
    spans = ((member.offset + start, info.nbytes),)
    return Located(info, spans, strides, shared)


def _row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def _integer(value: int) -> bytes:
    if value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(9, "little")
    return b"\x8a" + bytes([len(data)]) + data


def _string(text: str) -> bytes:
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _integers(values: Iterable[int]) -> bytes:
    return b"(" + b"".join(map(_integer, values)) + b"t"


def _pickled_tensor(name: str, storage: str, index: int, shape: tuple[int, ...]) -> bytes:
    """The instructions that make `name: tensor` in the dict."""
    count = 1
    for size in shape:
        count *= size
    persistent = (
        b"(" + _string("storage") + b"ctorch\n" + storage.encode() + b"\n"
        + _string(str(index)) + _string("cpu") + _integer(count) + b"tQ"
    )  # fmt: skip
    arguments = (
        b"(" + persistent + _integer(0) + _integers(shape) + _integers(_row_major(shape))
        + b"\x89" + b"ccollections\nOrderedDict\n)R" + b"t"
    )  # fmt: skip
    return _string(name) + b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"R"


def _store(file: IO[bytes], directory: list[bytes], name: str, data: bytes | memoryview) -> None:
    """Append a stored member whose data begins at a multiple of 64 bytes."""
    encoded = name.encode()
    size, crc = len(data), zlib.crc32(data)
    offset = file.tell()
    wide = size >= 0xFFFFFFFF or offset >= 0xFFFFFFFF
    short = 0xFFFFFFFF if wide else size
    field = struct.pack("<2H2Q", 1, 16, size, size) if wide else b""
    padding = -(offset + 30 + len(encoded) + len(field) + 4) % _ALIGNMENT
    extra = field + struct.pack("<2H", 0x4246, padding) + b"Z" * padding
    common = struct.pack("<4H3L", 0, 0, 0, 0x21, crc, short, short)
    local = struct.pack("<4sH", b"PK\x03\x04", 45 if wide else 20) + common
    file.write(local + struct.pack("<2H", len(encoded), len(extra)) + encoded + extra)
    file.write(data)
    central = struct.pack("<2Q", size, size) + struct.pack("<Q", offset) if wide else b""
    central = struct.pack("<2H", 1, len(central)) + central if wide else b""
    versions = struct.pack("<4s2H", b"PK\x01\x02", 45 if wide else 20, 45 if wide else 20)
    tail = struct.pack(
        "<5H2L", len(encoded), len(central), 0, 0, 0, 0, 0xFFFFFFFF if wide else offset
    )
    directory.append(versions + common + tail + encoded + central)


def _finish(file: IO[bytes], directory: list[bytes]) -> None:
    """Append the archive's directory, in zip64 form where 32 bits do not do."""
    start = file.tell()
    body = b"".join(directory)
    file.write(body)
    count = len(directory)
    if start >= 0xFFFFFFFF or count >= 0xFFFF:
        end = file.tell()
        file.write(
            struct.pack(
                "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(body), start
            )
        )
        file.write(struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1))
        count, start = 0xFFFF, 0xFFFFFFFF
    file.write(struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(body), start, 0))
