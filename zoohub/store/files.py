"""Small things with files, done so that a crash leaves the old content or the new."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoohub.errors import NoSpaceError, StoreError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
MIB = 1 << 20


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Any, *, durable: bool = False) -> None:
    """Replace a small file as a whole."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    if durable:
        fsync_folder(path.parent)


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where the file is missing, unreadable or no JSON object."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


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
