"""Opening a checkpoint of whatever format: a file, several that are one, or arrays in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from zoohub.checkpoint.ckpt import check_crc, parse_ckpt
from zoohub.checkpoint.foreign import LEGACY_TORCH, refuse_folder, refuse_foreign
from zoohub.checkpoint.pth import check_members, parse_pth
from zoohub.checkpoint.safetensors import parse_safetensors
from zoohub.checkpoint.sliced import is_slice_index, refuse_slice, slices_of
from zoohub.checkpoint.source import Held, Mapped, Opened, Source
from zoohub.checkpoint.weights import Array, Contents, Located, TensorInfo, Weights
from zoohub.checkpoint.writing import as_bytes, prepare
from zoohub.core.paths import local_path
from zoohub.errors import CheckpointCorrupt, CheckpointError

_PARSERS: dict[str, Callable[[Source], Contents]] = {
    "ckpt": parse_ckpt,
    "safetensors": parse_safetensors,
    "pth": parse_pth,
}
_SUFFIXES = {".ckpt": "ckpt", ".safetensors": "safetensors", ".pth": "pth", ".pt": "pth"}


def open_checkpoint(
    path: Path | str,
    format: str | None = None,
    *,
    verify: bool = False,
    published: bool = False,
) -> Weights:
    """Open a checkpoint file and read where its tensors are, not the tensors themselves.

    `format` is `ckpt`, `safetensors` or `pth`; by default the content tells (published files have
    no reliable names). `verify` also compares the bytes with the checksums in the file, where it
    has some; that reads all of it. `published` says that the file lies in the store, where nobody
    changes it: it is mapped, and its tensors are not copied. A `….index.json` opens the files it
    names as one.

    Raises:
        CheckpointCorrupt: damaged, cut short, encrypted, or not a checkpoint; names the offset.
        CheckpointError: missing, unreadable, or a kind of checkpoint zoohub does not read.
    """
    if format is not None and format not in _PARSERS:
        raise CheckpointError(f"no format {format!r}: zoohub reads {', '.join(_PARSERS)}")
    file = local_path(path)
    if file.is_dir():
        refuse_folder(file)
    if is_slice_index(file):
        return _joined(file, verify=verify)
    return _open(Mapped(file) if published else Opened(file), format, verify=verify)


def open_weights(given: object, *, verify: bool = True, published: bool = False) -> Weights:
    """Open whatever holds weights: a file's path, its bytes, a file object, or arrays by name.

    Arrays may be numpy's or anything with `asnumpy()` (a MindSpore parameter), in a mapping or in
    a network (its `parameters_dict()` counts). The arguments are those of `open_checkpoint`.

    Raises:
        CheckpointError: it is none of these; and as `open_checkpoint`.
    """
    if isinstance(given, Weights):
        return given
    if isinstance(given, str | os.PathLike):
        refuse_slice(local_path(given))
        return open_checkpoint(os.fspath(given), verify=verify, published=published)
    if isinstance(given, bytes | bytearray | memoryview):
        return _open(Held(given), None, verify=verify)
    if hasattr(given, "parameters_dict"):
        given = given.parameters_dict()
    if isinstance(given, Mapping):
        return hold_arrays(given)
    if hasattr(given, "read"):
        data = given.read()
        if isinstance(data, bytes):
            return _open(Held(data, str(getattr(given, "name", "the data"))), None, verify=verify)
    raise CheckpointError(
        f"a {type(given).__name__} holds no weights: give a file's path, its bytes or an open "
        "binary file, a dict of arrays by name, or a network"
    )


def hold_arrays(arrays: Mapping[str, object]) -> Weights:
    """A copy of arrays in memory, as a checkpoint.

    Raises:
        CheckpointError: no array, or one that no checkpoint could hold.
    """
    tensors: dict[str, Located] = {}
    data = bytearray()
    plain = {name: _array(name, value) for name, value in arrays.items()}
    for name, kind, array in prepare(plain):
        content = as_bytes(array)
        tensors[name] = Located(TensorInfo(array.shape, kind.name), ((len(data), len(content)),))
        data += content
    if not tensors:
        raise CheckpointError("the mapping holds no array")
    return Weights(Held(data or b"\x00", "the arrays"), Contents("arrays", tensors))


def load_weights(
    path: Path | str, format: str | None = None, *, published: bool = False
) -> dict[str, Array]:
    """All arrays of a checkpoint file by name, without MindSpore; the file's order is kept.

    A file of one's own is read, and compared with its own checksums where it has some; the arrays
    of a published one are views of the mapped file where possible (see `Weights`). Writing to an
    array never changes the file. bfloat16 comes as float32.

    Raises:
        CheckpointCorrupt, CheckpointError: as `open_checkpoint`.
    """
    return dict(open_checkpoint(path, format, verify=not published, published=published))


def detect_format(source: Source) -> str:
    """The format by the first bytes, else by the file's name."""
    start = source.buffer[:16]
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06") or start.startswith(LEGACY_TORCH):
        return "pth"
    if start[8:9] == b"{":
        # A .ckpt's record could hold that byte too, but not behind a plausible header length.
        length = int.from_bytes(start[:8], "little")
        if start[0] != 0x0A or length <= source.size:
            return "safetensors"
    if start[:1] == b"\x0a":
        return "ckpt"
    return _SUFFIXES.get(source.path.suffix.lower(), "ckpt")


def _open(source: Source, format: str | None, *, verify: bool) -> Weights:
    refuse_foreign(source)
    weights = Weights(source, _parse(source, format))
    source.settled()
    if verify and weights.format == "ckpt":
        check_crc(source)
    elif verify and weights.format == "pth":
        check_members(source)
    return weights


def _joined(index: Path, *, verify: bool) -> Weights:
    """The files of an index as one checkpoint."""
    names, parts = slices_of(index), {}
    for file in dict.fromkeys(names.values()):
        source = Opened(file)
        parts[file] = source, _open(source, None, verify=verify)._contents.tensors
    tensors: dict[str, Located] = {}
    for name, file in names.items():
        source, found = parts[file]
        if name not in found:
            raise CheckpointCorrupt(f"{file} lacks {name!r}, which {index.name} says it holds")
        tensors[name] = found[name].within(source)
    return Weights(source, Contents("safetensors", tensors), index)


def _parse(source: Source, format: str | None) -> Contents:
    found = detect_format(source)
    if format is None or format == found:
        return _PARSERS[found](source)
    try:
        return _PARSERS[format](source)
    except CheckpointCorrupt as error:
        raise CheckpointCorrupt(f"{error} (read as {format}; it looks like {found})") from None


def _array(name: str, value: object) -> Array:
    array = np.asarray(value.asnumpy() if hasattr(value, "asnumpy") else value)
    if array.dtype == object:
        raise CheckpointError(f"{name!r} is a {type(value).__name__}, not an array")
    return array
