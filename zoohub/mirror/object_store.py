"""A mirror behind fsspec: `s3://bucket/zoo` and its like."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from zoohub.core.counting import counted
from zoohub.errors import MirrorError
from zoohub.store.layout import url_key


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

    def guarded(self, path: str) -> contextlib.AbstractContextManager[None]:
        """See `Target`. An object store has nothing to hold: whoever writes looks again after."""
        return contextlib.nullcontext()

    def place(self, path: str, source: Path, *, keep: bool) -> None:
        """See `Target`: uploaded, and its size compared."""
        size = source.stat().st_size
        with self._told("write", path):
            self._make_parents(path)
            self._fs.put_file(str(source), self._at(path))
            self._fs.invalidate_cache()
            there = int(self._fs.info(self._at(path))["size"])
        if there != size:
            raise MirrorError(
                f"{self._name}: {path} has {counted(there, 'byte')} after "
                f"{counted(size, 'was', 'were')} uploaded"
            )
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
