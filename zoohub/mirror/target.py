"""Where a mirror lives: a folder, or anything fsspec can write to (`s3://bucket/zoo`).

Both know the same few operations. A file appears under its name whole or not at all: in a folder
by a rename, in an object store because that is how those work.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit

from zoohub.errors import MirrorError, NoSpaceError
from zoohub.mirror.selection import WORK
from zoohub.store.files import fsync_folder
from zoohub.store.layout import url_key
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
        return Folder(Path(destination).expanduser().absolute())
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
        with self._replacing(path, durable=durable) as part, part.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())

    def place(self, path: str, source: Path, *, keep: bool) -> None:
        """See `Target`. A kept source is linked where the file system can, else copied."""
        with self._replacing(path) as part:
            if not keep:
                source.replace(part)
                return
            try:
                part.hardlink_to(source)
            except OSError:
                shutil.copyfile(source, part)
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
        part = self.root / WORK / f"{secrets.token_hex(8)}.new"
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
                fsync_folder(target.parent)


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


class Remote:
    """A mirror behind fsspec. The credentials are those of its driver."""

    def __init__(self, filesystem: Any, root: str, name: str) -> None:
        self._fs = filesystem
        self._root = root
        self._name = name
        self._made: set[str] = set()

    @property
    def name(self) -> str:
        """The URL."""
        return self._name

    def work(self, home: Path) -> Path:
        """A folder of its own below the user's."""
        return home / "mirror" / url_key(self._name)[:16]

    def sizes(self) -> dict[str, int]:
        """See `Target`. Object stores answer with a thousand names at a time."""
        with self._told("list", ""):
            self._fs.invalidate_cache()
            try:
                found = self._fs.find(self._root, detail=True)
            except FileNotFoundError:
                return {}
        start = len(self._root) + 1
        return {
            name.rstrip("/")[start:]: int(info.get("size") or 0) for name, info in found.items()
        }

    def read(self, path: str) -> bytes | None:
        """See `Target`."""
        with self._told("read", path):
            try:
                data: bytes = self._fs.cat_file(self._at(path))
            except FileNotFoundError:
                return None
            return data

    def write(self, path: str, data: bytes, *, durable: bool = True) -> None:
        """See `Target`."""
        with self._told("write", path):
            self._make_parents(path)
            self._fs.pipe_file(self._at(path), data)

    def place(self, path: str, source: Path, *, keep: bool) -> None:
        """See `Target`: uploaded, and its size compared."""
        size = source.stat().st_size
        with self._told("write", path):
            self._make_parents(path)
            self._fs.put_file(str(source), self._at(path))
            self._fs.invalidate_cache()
            there = int(self._fs.info(self._at(path))["size"])
        if there != size:
            raise MirrorError(f"{self._name}: {path} has {there} bytes after {size} were uploaded")
        if not keep:
            with contextlib.suppress(OSError):
                source.unlink()

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """See `Target`."""
        with self._told("read", path), self._fs.open(self._at(path), "rb") as stream:
            yield stream

    def remove(self, path: str) -> None:
        """See `Target`."""
        with self._told("remove", path), contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._at(path))

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _make_parents(self, path: str) -> None:
        """Make the folders above a file, level by level: `makedirs` would also make a bucket that
        is only misspelt."""
        names = self._at(path).split("/")[:-1]
        for count in range(len(self._root.split("/")), len(names) + 1):
            folder = "/".join(names[:count])
            if "/" in folder.strip("/") and folder not in self._made:
                with contextlib.suppress(FileExistsError, NotImplementedError):
                    self._fs.mkdir(folder, create_parents=False)
                self._made.add(folder)

    @contextlib.contextmanager
    def _told(self, action: str, path: str) -> Iterator[None]:
        """Drivers raise what their libraries raise: all of it is one kind of trouble here."""
        try:
            yield
        except MirrorError:
            raise
        except Exception as error:
            text = str(error) or type(error).__name__
            raise MirrorError(f"cannot {action} {self._name}/{path}: {text}") from error
