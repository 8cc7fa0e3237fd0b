"""Where a mirror lives: a folder, or anything fsspec can write to (`s3://bucket/zoo`).

Both know the same few operations. A file appears under its name whole or not at all: in a folder
by a rename, in an object store because that is how those work.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from zoohub.core.atomic import copy_whole, fresh_name, guarded, open_new, sync_folder
from zoohub.core.paths import local_path
from zoohub.errors import MirrorError, NoSpaceError
from zoohub.mirror.object_store import Remote
from zoohub.mirror.selection import WORK
from zoohub.transfer.local import file_path
from zoohub.transfer.origin import SourceError


class Target(Protocol):
    """A mirror's place. Paths are below it, with `/`. All methods raise MirrorError."""

    @property
    def name(self) -> str:
        """How people call it."""
        ...

    def work(self, home: Path) -> Path:
        """A local folder for unfinished work on this mirror; `home` is the settings' own."""
        ...

    def sizes(self) -> dict[str, int]:
        """Every file of the mirror with its size in bytes, its work folder left out."""
        ...

    def read(self, path: str) -> bytes | None:
        """A small file; None where there is none."""
        ...

    def write(self, path: str, data: bytes, *, durable: bool = True) -> None:
        """Replace a small file; `durable`: a crash of the machine does not undo it."""
        ...

    def guarded(self, path: str) -> contextlib.AbstractContextManager[None]:
        """Held while a small file is looked at and replaced; one process at a time."""
        ...

    def place(self, path: str, source: Path, *, keep: bool) -> None:
        """Put a complete local file there. Unless `keep`, `source` is used up."""
        ...

    def open(self, path: str) -> contextlib.AbstractContextManager[BinaryIO]:
        """A file to read through."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; its being gone already is no error."""
        ...


def open_target(destination: str) -> Target:
    """The mirror at a folder, a `file:` URL or an fsspec URL; nothing is created yet.

    Raises:
        MirrorError: the URL's kind is unknown, or fsspec or its driver is not installed.
    """
    scheme = urlsplit(destination).scheme.lower() if "://" in destination else ""
    if scheme == "file" or destination.startswith("file:"):
        try:
            return Folder(file_path(destination).absolute())
        except SourceError as error:
            raise MirrorError(str(error)) from None
    if not scheme:
        return Folder(local_path(destination))
    if scheme in ("http", "https"):
        raise MirrorError(
            f"{destination} can be read but not written; name the folder behind it, or its "
            "storage (s3://…)"
        )
    try:
        import fsspec
    except ImportError:
        raise MirrorError(
            f"{destination} needs fsspec; install it with `pip install 'zoohub[mirror]'`"
        ) from None
    try:
        filesystem, root = fsspec.core.url_to_fs(destination)
    except (ValueError, ImportError) as error:
        raise MirrorError(f"{destination} cannot be used: {error}") from None
    return Remote(filesystem, root.rstrip("/"), destination)


class Folder:
    """A mirror in a local or mounted folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def name(self) -> str:
        """The folder's path."""
        return str(self.root)

    def work(self, home: Path) -> Path:
        """On the same disk, so that a finished download only needs a rename."""
        return self.root / WORK

    def sizes(self) -> dict[str, int]:
        """See `Target`. Links are listed as what they are, never followed."""
        found: dict[str, int] = {}
        with _told("read", self.root):
            _scan(str(self.root), "", found)
        return found

    def read(self, path: str) -> bytes | None:
        """See `Target`."""
        file = self.root / path
        try:
            return file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise MirrorError(f"cannot read {file}: {error.strerror or error}") from error

    def write(self, path: str, data: bytes, *, durable: bool = True) -> None:
        """See `Target`."""
        with self._replacing(path, durable=durable) as part, open_new(part) as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())

    @contextlib.contextmanager
    def guarded(self, path: str) -> Iterator[None]:
        """See `Target`. Holds without any lock of the file system."""
        room = self.root / WORK
        with _told("write", self.root / path):
            room.mkdir(parents=True, exist_ok=True)
        with guarded(room / path):
            yield

    def place(self, path: str, source: Path, *, keep: bool) -> None:
        """See `Target`. A kept source is linked where the file system can, else copied."""
        with self._replacing(path) as part:
            if not keep:
                source.replace(part)
                return
            try:
                part.hardlink_to(source)
            except OSError:
                copy_whole(source, part)
                part.chmod(0o444)

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """See `Target`."""
        file = self.root / path
        with _told("read", file), file.open("rb", buffering=0) as stream:
            yield stream

    def remove(self, path: str) -> None:
        """See `Target`. Folders that are empty then go with it."""
        file = self.root / path
        with _told("remove", file):
            file.unlink(missing_ok=True)
        for folder in file.parents:
            if folder == self.root:
                break
            try:
                folder.rmdir()
            except OSError:
                break

    @contextlib.contextmanager
    def _replacing(self, path: str, *, durable: bool = True) -> Iterator[Path]:
        """A fresh name on the mirror's disk that takes the place of `path` at the end."""
        target = self.root / path
        part = fresh_name(self.root / WORK / "part")
        with _told("write", target):
            part.parent.mkdir(parents=True, exist_ok=True)
            if not target.parent.resolve().is_relative_to(self.root.resolve()):
                raise MirrorError(f"{target.parent} leads out of the mirror by a link; refused")
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield part
                part.replace(target)
            finally:
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)
            if durable:
                sync_folder(target.parent)


# What a sync works in, and what file systems keep at their top.
_NOT_OURS = frozenset((WORK, "lost+found", "System Volume Information", "$RECYCLE.BIN"))


def _scan(folder: str, prefix: str, found: dict[str, int]) -> None:
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if path not in _NOT_OURS:
                    _scan(entry.path, path + "/", found)
            else:
                found[path] = entry.stat(follow_symlinks=False).st_size


@contextlib.contextmanager
def _told(action: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpaceError(
                f"no space left to {action} {path}; what is there is kept, run it again with more"
            ) from error
        raise MirrorError(f"cannot {action} {path}: {error.strerror or error}") from error
