"""Small things with files, done so that a crash leaves the old content or the new."""

from __future__ import annotations

import contextlib
import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoohub.core.atomic import read_or_none, write_whole
from zoohub.core.json_reader import parse_json
from zoohub.core.notes import note
from zoohub.errors import ManifestError, NoSpaceError, StoreError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MAX_RECORD = 256 << 20


def write_json(path: Path, content: object, *, durable: bool = False) -> None:
    """Replace a small file as a whole."""
    write_whole(path, json.dumps(content).encode(), durable=durable)


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where the file is missing, unreadable or no JSON object; the last
    two are said, since what it was to tell has to be found out again."""
    try:
        data = read_or_none(path)
        content = {} if data is None else parse_json(data, path.name, max_bytes=_MAX_RECORD)
    except (OSError, ManifestError) as error:
        note(f"{path} is damaged and made again ({error})")
        return None
    if not isinstance(content, dict):
        note(f"{path} is damaged and made again (it holds no JSON object)")
        return None
    return None if data is None else content


def unlink(path: Path) -> None:
    """Remove a file that may be gone already, may be read-only, or may be kept from us."""
    try:
        path.unlink()
    except PermissionError:
        # Windows refuses to remove read-only files.
        with contextlib.suppress(OSError):
            path.chmod(0o644)
            path.unlink()
    except OSError:
        pass


@contextlib.contextmanager
def store_errors(action: str, path: Path) -> Iterator[None]:
    """Tell of the disk's troubles in the store's terms.

    Raises:
        NoSpaceError: the disk, the quota or the limit on a file's size is exhausted.
        StoreError: anything else the system refuses.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpaceError(
                f"No space left to {action} {path} ({error.strerror}). Free some (`zoohub cache "
                "prune --max-size 20G`), or set ZOOHUB_HOME to a folder on a larger disk; what has "
                "been fetched is kept and continued."
            ) from error
        raise StoreError(
            f"Cannot {action} {path}: {error.strerror or error}. Check the folder's permissions, "
            "or set ZOOHUB_HOME to a folder you can write to."
        ) from error
