"""What the store writes down about its files."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from zoohub.store.files import read_json, write_json
from zoohub.store.layout import record_path


@dataclass(frozen=True, slots=True)
class Verification:
    """A file's last verification: it was right when it had this size, mtime and inode.

    `marks` tell which 8 MiB of a damaged file are wrong (see `hashing.FileHash`); `names` the
    references it was fetched for; `source` the URL that gave it; `verified` seconds since 1970.
    """

    size: int
    mtime_ns: int
    inode: int
    marks: tuple[str, ...]
    names: tuple[str, ...] = ()
    source: str | None = None
    verified: float = field(default_factory=time.time)

    def fits(self, status: os.stat_result) -> bool:
        """Whether the file has not been touched since."""
        return (self.size, self.mtime_ns, self.inode) == (
            status.st_size,
            status.st_mtime_ns,
            status.st_ino,
        )


@dataclass(frozen=True, slots=True)
class Ref:
    """The recorded hash of a URL without a declared full one.

    `source` is who gave the bytes: the URL itself, or a mirror standing for it.
    """

    url: str
    sha256: str
    size: int
    source: str
    recorded: float = field(default_factory=time.time)


def read_verification(blob: Path) -> Verification | None:
    """The record beside a file; None where there is none or it makes no sense."""
    content = read_json(record_path(blob))
    try:
        return content and Verification(
            size=int(content["size"]),
            mtime_ns=int(content["mtime_ns"]),
            inode=int(content["inode"]),
            marks=tuple(str(mark) for mark in content.get("marks", ())),
            names=tuple(str(name) for name in content["names"]),
            source=None if content["source"] is None else str(content["source"]),
            verified=float(content["verified"]),
        )  # type: ignore[return-value]
    except (KeyError, TypeError, ValueError):
        return None


def write_verification(blob: Path, record: Verification) -> None:
    """Replace the record beside a file."""
    write_json(record_path(blob), asdict(record))


def read_ref(path: Path) -> Ref | None:
    """A URL's record; None where there is none or it makes no sense."""
    content = read_json(path)
    try:
        return content and Ref(
            url=str(content["url"]),
            sha256=str(content["sha256"]),
            size=int(content["size"]),
            source=str(content["source"]),
            recorded=float(content["recorded"]),
        )  # type: ignore[return-value]
    except (KeyError, TypeError, ValueError):
        return None


def write_ref(path: Path, ref: Ref) -> None:
    """Write a URL's record durably: later downloads are held to it."""
    write_json(path, asdict(ref), durable=True)
