"""PyTorch's format from before 1.6: five pickles in a row, then the storages' bytes.

pickle of a magic number · of the protocol, 1001 · of facts on the machine ·
of the object · of the storages' keys, in order;  for each key: int64 count, then its elements
"""

from __future__ import annotations

from zoohub.checkpoint.archive import Member
from zoohub.checkpoint.dtypes import TYPES
from zoohub.checkpoint.pickles import Refused, read_pickle_at
from zoohub.checkpoint.source import Source
from zoohub.checkpoint.torch_objects import Storage
from zoohub.core.counting import counted
from zoohub.errors import CheckpointError

_PROTOCOL = 1001


def read_legacy(source: Source) -> tuple[object, dict[str, Member]]:
    """The pickled object, and where the bytes of each storage lie, by its key.

    Raises:
        CheckpointCorrupt: damaged, cut short, or it asks for anything but tensors.
        CheckpointError: it was written on a big-endian machine.
    """
    storages: dict[str, Storage] = {}
    values, offset = [], 0
    for _ in range(5):
        try:
            value, offset = read_pickle_at(source.buffer, offset, source.size, storages)
        except Refused as error:
            source.corrupt(error.position, str(error))
        values.append(value)
    _, protocol, machine, content, keys = values
    if protocol != _PROTOCOL or not isinstance(machine, dict):
        source.corrupt(0, "PyTorch's old format in an unknown version")
    if machine.get("little_endian") is not True:
        raise CheckpointError(f"{source.path} was written on a big-endian machine")
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        source.corrupt(offset, "no list of storages behind the tensors")
    return content, _members(source, storages, keys, offset)


def _members(
    source: Source, storages: dict[str, Storage], keys: list[str], offset: int
) -> dict[str, Member]:
    members: dict[str, Member] = {}
    for key in keys:
        storage = storages.get(key)
        if storage is None or key in members:
            source.corrupt(offset, f"the storage {key[:40]!r}, which no tensor uses")
        count = int.from_bytes(source.buffer[offset : offset + 8], "little")
        size = storage.count * TYPES[storage.dtype].size
        if count != storage.count or offset + 8 + size > source.size:
            source.corrupt(
                min(offset, source.size),
                f"{counted(count, 'element')} of the storage {key[:40]!r}, {storage.count} "
                "expected",
            )
        members[key] = Member(key, offset + 8, size, 0)
        offset += 8 + size
    if offset != source.size:
        source.corrupt(offset, f"{counted(source.size - offset, 'byte')} behind the last storage")
    return members
