"""PyTorch's files (.pth, .pt): weights only, without PyTorch and without running pickles.

A zip archive `NAME/` holds `data.pkl`, a pickle of the dict with tensor descriptions, and the
tensors' memory as `data/0`, `data/1`, …, uncompressed. `legacy_pth` has the format before that.
"""

from __future__ import annotations

import struct
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from zoohub.checkpoint.archive import Member, check_member, read_directory, store
from zoohub.checkpoint.dtypes import TYPES
from zoohub.checkpoint.foreign import LEGACY_TORCH
from zoohub.checkpoint.legacy_pth import read_legacy
from zoohub.checkpoint.pickles import Refused, read_pickle
from zoohub.checkpoint.source import Source
from zoohub.checkpoint.torch_objects import TensorRef
from zoohub.checkpoint.weights import Contents, Located, TensorInfo
from zoohub.checkpoint.writing import Arrays, as_bytes, prepare
from zoohub.core.atomic import replacing
from zoohub.core.counting import counted
from zoohub.core.json_reader import parse_json
from zoohub.errors import CheckpointCorrupt, CheckpointError

# What zoohub says of a file that it exported; `torch.load` passes over it.
PTH_MEMBER = "extra/zoohub.json"
_MAX_PICKLE = 1 << 26
_MAX_TEXTS = 1 << 24
# Where training scripts put the weights beside optimiser and epoch, most wanted first.
_PLACES = ("state_dict", "model_state_dict", "model", "net", "network", "params", "weights")
# Where they put the moving average of the weights.
_AVERAGED = ("ema", "state_dict_ema", "model_ema", "ema_state_dict", "ema_model", "params_ema")
_DEEPEST = 3
# Tied weights are in a file once and in the network twice; nobody ties a hundred.
_MOST_SHARED = 8


def parse_pth(source: Source) -> Contents:
    """Read the descriptions of all tensors of a file that `torch.save` wrote.

    The weights are the dict itself, else its one member that is a dict of tensors (`state_dict`
    and `model` come first; the optimiser's state is no such dict). Their moving average (`ema`)
    is kept apart where both are there.

    Raises:
        CheckpointCorrupt: the archive or its pickle is damaged, or asks for anything but tensors.
        CheckpointError: no weights, or several sets of them, or big-endian data.
    """
    legacy = source.buffer[: len(LEGACY_TORCH)] == LEGACY_TORCH
    content, members, texts = (*read_legacy(source), {}) if legacy else _read_archive(source)
    weights, averaged = _sets(source, content)
    uses = Counter(reference.storage.key for reference in weights.values())

    def located(references: dict[str, TensorRef]) -> dict[str, Located]:
        return {
            name: _located(source, members, name, ref, shared=uses[ref.storage.key] > 1)
            for name, ref in references.items()
        }

    tensors = located(weights)
    total = sum(tensor.info.nbytes for tensor in tensors.values())
    if total > _MOST_SHARED * source.size + (1 << 20):
        source.corrupt(0, f"tensors of {total} bytes in all, many over the same memory")
    return Contents("pth", tensors, texts, located(averaged))


def check_members(source: Source) -> None:
    """Compare every member with its CRC-32. Reads the whole file. Raises CheckpointCorrupt.

    The format from before 1.6 has no checksums.
    """
    if source.buffer[: len(LEGACY_TORCH)] == LEGACY_TORCH:
        return
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
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        store(archive, "archive/data.pkl", bytes(pickle))
        store(archive, "archive/byteorder", b"little")
        for index, (_, _, array) in enumerate(prepare(arrays)):
            store(archive, f"archive/data/{index}", as_bytes(array))
        store(archive, "archive/version", b"3\n")
    return path


def _read_archive(source: Source) -> tuple[object, dict[str, Member], dict[str, str]]:
    """The object pickled in a zip archive, its storages by key, and zoohub's own texts."""
    members = read_directory(source)
    prefix, pickle = _find_pickle(source, members)
    order = members.get(f"{prefix}byteorder")
    if order and source.buffer[order.offset : order.offset + order.size] != b"little":
        raise CheckpointError(f"{source.path} was written on a big-endian machine")
    check_member(source, pickle)
    try:
        content = read_pickle(bytes(source.buffer[pickle.offset : pickle.offset + pickle.size]))
    except Refused as error:
        source.corrupt(pickle.offset + error.position, str(error))
    start = f"{prefix}data/"
    storages = {
        name.removeprefix(start): member
        for name, member in members.items()
        if name.startswith(start)
    }
    return content, storages, _texts(source, members.get(f"{prefix}{PTH_MEMBER}"))


def _texts(source: Source, member: Member | None) -> dict[str, str]:
    if member is None:
        return {}
    check_member(source, member)
    data = bytes(source.buffer[member.offset : member.offset + member.size])
    name = f"{source.path}: {member.name}"
    found = parse_json(data, name, error=CheckpointCorrupt, max_bytes=_MAX_TEXTS)
    texts = found if isinstance(found, dict) else {"": found}
    if not all(isinstance(text, str) for text in texts.values()):
        source.corrupt(member.offset, "metadata that does not map texts to texts")
    return {name: str(text) for name, text in texts.items()}


def _find_pickle(source: Source, members: dict[str, Member]) -> tuple[str, Member]:
    found = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(found) != 1:
        names = ", ".join(sorted(members)[:5])
        raise CheckpointCorrupt(
            f"{source.path} is a zip archive that PyTorch did not write (members: "
            f"{names or 'none'}), no checkpoint of named parameters: unpack it."
        )
    if f"{found[0][:-8]}constants.pkl" in members:
        raise CheckpointError(f"{source.path} is a TorchScript program, not a dict of weights")
    if members[found[0]].size > _MAX_PICKLE:
        source.corrupt(members[found[0]].offset, f"a pickle above {_MAX_PICKLE} bytes")
    return found[0][: -len("data.pkl")], members[found[0]]


def _sets(source: Source, content: object) -> tuple[dict[str, TensorRef], dict[str, TensorRef]]:
    """The tensors by name, wherever in the file's dict they are, and their moving average."""
    for _ in range(_DEEPEST):
        if not isinstance(content, dict):
            break
        direct = _tensors_of(content)
        if direct:
            return direct, {}
        sets = {key: found for key, value in content.items() if (found := _tensors_of(value))}
        if sets:
            return _chosen(source, sets)
        deeper = [content[p] for p in (*_PLACES, *_AVERAGED) if isinstance(content.get(p), dict)]
        content = deeper[0] if deeper else None
    raise CheckpointError(f"{source.path} is a PyTorch file without a dict of tensors in it")


def _chosen(
    source: Source, sets: dict[str, dict[str, TensorRef]]
) -> tuple[dict[str, TensorRef], dict[str, TensorRef]]:
    averaged = next((sets[place] for place in _AVERAGED if place in sets), {})
    for place in _PLACES:
        if place in sets:
            return sets[place], averaged
    others = [key for key in sets if key not in _AVERAGED]
    if len(others) == 1:
        return sets[others[0]], averaged
    if not others:
        return averaged, {}
    names = ", ".join(sorted(str(key) for key in sets))
    raise CheckpointError(f"{source.path} has several sets of weights: {names}")


def _tensors_of(value: object) -> dict[str, TensorRef]:
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
    name: str,
    reference: TensorRef,
    *,
    shared: bool,
) -> Located:
    storage = reference.storage
    member = members.get(storage.key)
    if member is None:
        source.corrupt(source.size, f"no data for {name[:80]!r} (storage {storage.key[:40]!r})")
    if member.size != storage.count * TYPES[storage.dtype].size:
        source.corrupt(
            member.offset,
            f"{counted(member.size, 'byte')} for {counted(storage.count, 'element')} of "
            f"{storage.dtype}",
        )
    info = TensorInfo(reference.shape, reference.dtype)
    start = reference.offset * TYPES[info.dtype].size
    steps = zip(reference.shape, reference.strides, strict=True)
    last = sum((size - 1) * stride for size, stride in steps) + 1 if info.nbytes else 0
    if start + last * TYPES[info.dtype].size > member.size or info.nbytes > member.size:
        source.corrupt(
            member.offset,
            f"{name[:80]!r} {info.shape} reaching beyond its {counted(member.size, 'byte')}",
        )
    strides = None if reference.strides == _row_major(info.shape) else reference.strides
    if strides is not None and info.nbytes in (0, TYPES[info.dtype].size):
        strides = None  # with one element or none, strides mean nothing
    size = info.nbytes if strides is None else last * TYPES[info.dtype].size
    spans = ((member.offset + start, size),)
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
