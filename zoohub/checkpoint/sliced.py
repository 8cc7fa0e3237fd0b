"""Checkpoints in several files: an index of them is read as one, a device's slice is refused."""

from __future__ import annotations

import re
from pathlib import Path

from zoohub.core.counting import counted
from zoohub.core.json_reader import parse_json
from zoohub.errors import CheckpointCorrupt, CheckpointError

_MAX_INDEX = 1 << 26
_RANK = re.compile(r"rank_?\d+")
_PART = re.compile(r"(.+)-\d{5}-of-(\d{5})(\.\w+)")


def is_slice_index(path: Path) -> bool:
    """Whether a file's name says that it lists the files of one checkpoint."""
    return path.name.endswith(".index.json")


def slices_of(path: Path) -> dict[str, Path]:
    """Each parameter's name and the file that holds it, as an index (`weight_map`) says.

    Raises:
        CheckpointCorrupt: the file is no such index, or names a file outside its folder.
        CheckpointError: it cannot be read, or a file that it names is missing.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= _MAX_INDEX else None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from None
    if data is None:
        raise CheckpointCorrupt(f"{path} is too large for an index of files")
    content = parse_json(data, f"{path} is no index of files", error=CheckpointCorrupt)
    table = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(table, dict) or not table:
        raise CheckpointCorrupt(f"{path} is no index of files: it has no weight_map")
    found: dict[str, Path] = {}
    for name, file in table.items():
        # The files lie beside their index; a name with a folder in it could be anywhere.
        if not isinstance(file, str) or Path(file).name != file or file in ("", ".", ".."):
            raise CheckpointCorrupt(f"{path} names {str(file)[:80]!r}, which is no file beside it")
        found[name] = path.parent / file
    missing = sorted({file.name for file in found.values() if not file.is_file()})
    if missing:
        raise CheckpointError(
            f"{path.name} names {counted(len(missing), 'file that is', 'files that are')} not "
            f"beside it: {', '.join(missing[:5])}"
        )
    return found


def refuse_slice(path: Path) -> None:
    """Say so where a file is one of several, by the way its publisher's tools name them.

    Raises:
        CheckpointError: a `model-00001-of-00003.safetensors` whose index lies beside it.
    """
    match = _PART.fullmatch(path.name)
    if match is None or int(match[2]) < 2:
        return
    index = path.with_name(f"{match[1]}{match[3]}.index.json")
    if index.is_file():
        raise CheckpointError(
            f"{path.name} is one of {counted(int(match[2]), 'file')}: give {index.name}, which "
            "reads them as one"
        )


def merging_hint(path: Path) -> str:
    """What to add to the error that a file does not fit, where it may be one device's slice."""
    if not _RANK.fullmatch(path.parent.name):
        return ""
    return (
        f"\nIt lies in {path.parent.name}: if it is one device's slice, merge all of them first "
        "with mindspore.merge_sliced_parameter or mindspore.transform_checkpoints."
    )
