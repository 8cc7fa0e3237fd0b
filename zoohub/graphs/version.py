"""Which code writes a compiled form: another writes another form. Free of MindSpore."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from zoohub import networks
from zoohub._version import __version__
from zoohub.manifest.places import checkout_index


def writer_version() -> str:
    """zoohub's version; in a checkout, where code changes without it, also when which file of the
    networks and their writer was changed."""
    if checkout_index() is None:
        return __version__
    package = Path(__file__).parent.parent
    rooms = (str(package / "graphs"), str(package / "checkpoint"), *networks.__path__)
    return f"{__version__}+{_state_of(rooms)[:16]}"


@cache
def _state_of(rooms: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for room in rooms:
        for folder, folders, names in os.walk(room):
            folders.sort()
            for name in sorted(name for name in names if name.endswith(".py")):
                status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - hundreds
                digest.update(f"{folder}/{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
