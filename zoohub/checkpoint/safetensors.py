"""The .safetensors format: eight bytes of header length, a JSON header, then the data.

The header maps a name to `{dtype, shape, data_offsets}`; the data of all tensors lies without
gap or overlap to the end of the file. https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoohub.checkpoint.dtypes import TYPES, plausible_shape
from zoohub.checkpoint.source import Source
from zoohub.checkpoint.weights import Contents, Located, TensorInfo, Weights
from zoohub.checkpoint.writing import Arrays, as_bytes, prepare
from zoohub.core.atomic import replacing
from zoohub.core.counting import counted
from zoohub.core.json_reader import Json, parse_strictly
from zoohub.errors import CheckpointError

_BY_SPELLING = {t.safetensors: t for t in TYPES.values() if t.safetensors}
# The format allows 100 MB; a header of a million parameters is about this long.
_MAX_HEADER = 1 << 26
_UNREAD = frozenset({"F8_E4M3", "F8_E5M2", "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4"})


def parse_safetensors(source: Source) -> Contents:
    """Read the header of a .safetensors file.

    Raises:
        CheckpointCorrupt: the header is damaged, or the data has gaps or is cut short.
    """
    if source.size < 10:
        source.corrupt(0, f"{counted(source.size, 'byte')}, too few for a header")
    length = int.from_bytes(source.buffer[:8], "little")
    if length > _MAX_HEADER:
        source.corrupt(0, f"a header of {length} bytes, more than {_MAX_HEADER}")
    if 8 + length > source.size:
        source.corrupt(0, f"a header of {counted(length, 'byte')} in a file of {source.size}")
    header = _header(source, source.buffer[8 : 8 + length])
    texts = _metadata(source, header.pop("__metadata__", {}))
    start = 8 + length
    tensors = {name: _located(source, name, entry, start) for name, entry in header.items()}
    _check_order(source, tensors, start)
    if not tensors:
        source.corrupt(8, "no parameter at all")
    return Contents("safetensors", tensors, texts)


def write_safetensors(
    path: Path | str, arrays: Arrays, *, metadata: Mapping[str, str] | None = None
) -> Path:
    """Write arrays as .safetensors; the same input, the same bytes.

    `arrays` maps names to arrays, or is a `Weights` (whose bfloat16 stays bfloat16). As the
    format's own writer does, larger element types come first, then names in order, so that every
    tensor is aligned. Without `metadata`, `{"format": "np"}` is written.

    Raises:
        CheckpointError: a name or an element type that the format cannot hold.
        OSError: the file cannot be written.
    """
    path = Path(path)
    if isinstance(arrays, Weights):
        table = arrays.table()
    else:
        table = {n: TensorInfo(a.shape, k.name) for n, k, a in prepare(arrays)}
    header: dict[str, Json] = {"__metadata__": dict(sorted((metadata or {"format": "np"}).items()))}
    offset = 0
    names = sorted(table, key=lambda name: (-TYPES[table[name].dtype].size, name))
    for name in names:
        kind, info = TYPES[table[name].dtype], table[name]
        if kind.safetensors is None or name == "__metadata__":
            raise CheckpointError(f"{name!r} ({kind.name}) cannot be written to a .safetensors")
        header[name] = {
            "dtype": kind.safetensors,
            "shape": list(info.shape),
            "data_offsets": [offset, offset + info.nbytes],
        }
        offset += info.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, _, array in prepare(arrays, names):
            file.write(as_bytes(array))
    return path


def _header(source: Source, text: bytes | bytearray) -> dict[str, Json]:
    def number(digits: str) -> int:
        # Python converts long numbers in quadratic time.
        if len(digits) > 19:
            raise ValueError(f"the number {digits[:20]}…")
        return int(digits)

    try:
        header = parse_strictly(text.decode("utf-8"), number)
    except ValueError as error:
        source.corrupt(8, f"a header that is no JSON of this format: {error}")
    if not isinstance(header, dict):
        source.corrupt(8, f"a header that is a {type(header).__name__}, not a mapping")
    return header


def _metadata(source: Source, metadata: Json) -> dict[str, str]:
    found = metadata if isinstance(metadata, dict) else {"": None}
    texts = {name: text for name, text in found.items() if isinstance(text, str)}
    if len(texts) != len(found):
        source.corrupt(8, "metadata that does not map texts to texts")
    return texts


def _located(source: Source, name: str, entry: Any, start: int) -> Located:
    try:
        name.encode()  # JSON can escape half a character
        if entry["dtype"] in _UNREAD:
            raise CheckpointError(
                f"{source.path}: {name!r} is {entry['dtype']}, a type of 8 bits or fewer that "
                "zoohub does not read"
            )
        kind = _BY_SPELLING[entry["dtype"]]
        shape = tuple(entry["shape"])
        low, high = entry["data_offsets"]
        numbers = (*shape, low, high)
        well_formed = len(entry) == 3 and all(type(n) is int and n >= 0 for n in numbers)
    except (KeyError, TypeError, ValueError):
        well_formed = False
    if not well_formed:
        source.corrupt(8, f"{name[:80]!r} described as {str(entry)[:120]}")
    info = TensorInfo(shape, kind.name)
    if not plausible_shape(shape):
        source.corrupt(8, f"{name[:80]!r} with the impossible shape {str(shape)[:80]}")
    if high - low != info.nbytes:
        source.corrupt(
            8,
            f"{counted(high - low, 'byte')} for {name[:80]!r}, {info.nbytes} expected "
            f"({kind.name} {shape})",
        )
    return Located(info, ((start + low, high - low),))


def _check_order(source: Source, tensors: dict[str, Located], start: int) -> None:
    """The data must fill the file: no gap, no overlap, nothing missing, nothing behind."""
    expected = start
    for name, located in sorted(tensors.items(), key=lambda item: item[1].spans[0]):
        offset, length = located.spans[0]
        if offset != expected:
            source.corrupt(offset, f"the data of {name[:80]!r}, which should be at {expected}")
        expected += length
    if expected != source.size:
        source.corrupt(min(expected, source.size), f"the end, expected at byte {expected}")
