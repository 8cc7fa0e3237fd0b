"""Origins that need no network: `embedded:` (in the package) and `file:` (the user's disks)."""

from __future__ import annotations

import importlib.resources
import os
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from zoohub.transfer.origin import Reply, Request, SourceError


class EmbeddedOrigin:
    """`embedded:NAME`: a file that comes with the package."""

    def open(self, request: Request) -> Reply:
        """Open a file of `zoohub/_data/embedded`."""
        url, start = request.url, request.start
        name = url.partition(":")[2]
        if not name or name in (".", "..") or any(letter in name for letter in "/\\:\0"):
            raise SourceError("refused", f"{url!r} does not name an embedded file")
        resource = importlib.resources.files("zoohub") / "_data" / "embedded" / name
        try:
            data = resource.read_bytes()
        except (OSError, ValueError) as error:
            raise SourceError("gone", f"zoohub carries no file {name!r}") from error
        view = memoryview(data)[start:]

        def read(limit: int) -> bytes:
            nonlocal view
            chunk, view = view[:limit], view[limit:]
            return bytes(chunk)

        return Reply(start, len(data), None, read, lambda: None)

    def close(self) -> None:
        """Nothing is held open."""


class FileOrigin:
    """`file:` URLs: a local or mounted file."""

    def open(self, request: Request) -> Reply:
        """Open a file at an offset."""
        path = file_path(request.url)
        try:
            file = path.open("rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise SourceError("gone", f"there is no file {path}") from error
        except PermissionError as error:
            raise SourceError("denied", f"{path} may not be read") from error
        except (OSError, ValueError) as error:
            raise SourceError("gone", f"{path} cannot be opened: {error}") from error
        return open_file(file, request)

    def close(self) -> None:
        """Nothing is held open."""


def open_file(file: BinaryIO, request: Request) -> Reply:
    """A reply that reads an open file; it begins anew if the file is not the one it was."""
    status = os.fstat(file.fileno())
    now = f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"
    start = request.start
    if request.validator not in (None, now) or start > status.st_size:
        start = 0
    file.seek(start)

    def read(limit: int) -> bytes:
        try:
            return file.read(limit)
        except OSError as error:
            raise SourceError("transient", f"reading failed: {error.strerror}") from error

    return Reply(start, status.st_size, now, read, file.close)


def file_path(url: str) -> Path:
    """The path a `file:` URL means.

    Raises:
        SourceError: it names another host, or is no path.
    """
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise SourceError("refused", f"{url} names a host; write file:///…")
    path = url2pathname(parts.path) if os.name == "nt" else unquote(parts.path)
    if "\0" in path or not path:
        raise SourceError("refused", f"{url!r} is no path")
    return Path(path)
