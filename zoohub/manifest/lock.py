"""Lock files: which bytes a reference means, written down so that they cannot change unseen.

A lock is YAML: reference -> `{url, sha256, size}`; of a pipeline -> `{steps: {NAME: REFERENCE}}`,
with those references beside it. With `ZOOHUB_LOCK` set, only references that
are in it resolve, and what is downloaded must have the locked hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zoohub.core.atomic import write_whole
from zoohub.errors import ManifestError
from zoohub.manifest.compiled import LockRow, StepsRow
from zoohub.manifest.index import Locked, LockedSteps
from zoohub.manifest.schema import check_lock
from zoohub.manifest.values import SchemaError

HEADER = "# Written by `zoohub lock`. Set ZOOHUB_LOCK to this file to hold downloads to it.\n"


def read_lock(path: Path) -> dict[str, Locked | LockedSteps]:
    """The references of a lock file.

    Raises:
        ManifestError: it cannot be read or is malformed; names file and line.
    """
    from zoohub.core.yaml_reader import read_yaml

    document = read_yaml(path)
    try:
        rows = check_lock(document.value if document.value is not None else {})
    except SchemaError as error:
        raise document.error(error.where, error.message) from None
    return {reference: _locked(row) for reference, row in rows.items()}


def _locked(row: LockRow | StepsRow) -> Locked | LockedSteps:
    if "steps" in row:
        return LockedSteps(row["steps"])
    return Locked(row["url"], row["sha256"], row.get("size"))


def write_lock(path: Path, references: Mapping[str, Locked | LockedSteps]) -> None:
    """Write a lock file in place of an older one, sorted by reference."""
    lines = [HEADER]
    for reference in sorted(references):
        locked = references[reference]
        lines.append(f"{_quoted(reference)}:\n")
        if isinstance(locked, LockedSteps):
            lines.append("  steps:\n")
            lines += [f"    {_quoted(k)}: {_quoted(v)}\n" for k, v in locked.steps.items()]
            continue
        lines.append(f"  url: {_quoted(locked.url)}\n")
        lines.append(f"  sha256: {_quoted(locked.sha256)}\n")
        if locked.size is not None:
            lines.append(f"  size: {locked.size}\n")
    try:
        write_whole(path, "".join(lines).encode())
    except OSError as error:
        raise ManifestError(f"the lock {path} cannot be written: {error.strerror}") from None


def _quoted(text: str) -> str:
    """Always in quotes: a hash of digits alone must stay text."""
    return "'" + text.replace("'", "''") + "'"
