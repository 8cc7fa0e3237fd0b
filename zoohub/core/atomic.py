"""Writing a file so that readers see all of it or nothing, and nobody's change is lost.

Temporary names are made here only: hidden, beside their target, with 128 random bits, opened so
that nothing that lies there already is written to or followed. What a killed process leaves of
them, `remove_leftovers` knows.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from zoohub.errors import IntegrityError

HOUR = 3600.0
_DAY = 24 * HOUR
_LEFTOVER = re.compile(r"\..*\.[0-9a-f]{32}\.(tmp|swap)")
# Of earlier versions, which gave fewer random letters or none.
_OLD_LEFTOVER = re.compile(r".*\.(tmp|new)|\..*\.part")
_NEW = os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_BLOCK = 1 << 20
_GUARD_SECONDS = 10.0


def fresh_name(path: Path) -> Path:
    """A name beside `path` that nobody can guess, and that no file has."""
    name = path.name
    while len(os.fsencode(name)) > 200:
        name = name[: len(name) - 8]
    return path.with_name(f".{name}.{secrets.token_hex(16)}.tmp")


def open_new(path: Path, mode: int = 0o666) -> IO[bytes]:
    """A new file to write and read; what lies there already is an error (FileExistsError)."""
    flags = _NEW | os.O_RDWR | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, mode), "w+b")


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that takes the place of `path` when the block ends without an error.

    The bytes are on disk (fsync, where `durable`) before the name is. On an error nothing is left
    behind, and what was at `path` before stays.
    """
    with _moving_to(path, durable=durable) as temporary, open_new(temporary) as file:
        yield file
        file.flush()
        if durable:
            os.fsync(file.fileno())


@contextmanager
def standing_in(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """`replacing` for those who need a path: a fresh name, under which there is no file yet."""
    with _moving_to(path, durable=durable) as temporary:
        yield temporary
        if durable:
            sync(temporary)


@contextmanager
def _moving_to(path: Path, *, durable: bool) -> Iterator[Path]:
    temporary = fresh_name(path)
    try:
        yield temporary
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """A folder beside `path` for files that are moved from there once all are whole; it goes with
    what is left in it."""
    folder = fresh_name(path)
    folder.mkdir(0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace a file's content at once."""
    with replacing(path, durable=durable) as file:
        file.write(data)


def copy_whole(source: Path, target: Path, *, sha256: str | None = None) -> None:
    """Copy a file into the place of `target`; what was copied must have the hash that is given.

    Raises:
        IntegrityError: it has another one; `target` is as it was.
    """
    digest = hashlib.sha256()
    with source.open("rb", buffering=0) as origin, replacing(target) as file:
        while block := origin.read(_BLOCK):
            digest.update(block)
            file.write(block)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise IntegrityError(
                f"{source} has SHA-256 {digest.hexdigest()} and not {sha256}: it was damaged, or "
                f"changed while it was copied; {target} was not written"
            )


def change(path: Path, new: Callable[[bytes | None], bytes], *, durable: bool = True) -> bytes:
    """Replace a file's content by what `new` makes of it (None: there is no file), and return that.

    Of several processes that do so at the same time none loses what another wrote, whatever the
    locks of the file system are worth: who comes too late begins anew from what is there now.
    """
    while True:
        before = read_or_none(path)
        data = new(before)
        if data == before or replace_unchanged(path, before, data, durable=durable):
            return data


def replace_unchanged(
    path: Path, before: bytes | None, data: bytes, *, durable: bool = True
) -> bool:
    """Replace a file's content if it still is `before`; whether that was so.

    Look and rename are one step to all who use this function: see `guarded`.
    """
    temporary = fresh_name(path)
    try:
        with open_new(temporary) as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        with guarded(path):
            if read_or_none(path) != before:
                return False
            temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    if durable:
        sync_folder(path.parent)
    return True


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """For the moment it takes to look at `path` and replace it: one process at a time, whatever the
    locks of the file system are worth.

    Held is `.NAME.<hash>.swap`, which only one process can make. One that is ten seconds old is
    taken for what a crash left.
    """
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:32]
    guard = path.with_name(f".{path.name[:40]}.{digest}.swap")
    seen, since = (0, 0), time.monotonic()
    while True:
        with contextlib.suppress(FileExistsError):
            open_new(guard).close()
            break
        with contextlib.suppress(OSError):
            status = guard.lstat()
            now = time.monotonic()
            if seen != (status.st_ino, status.st_mtime_ns):
                seen, since = (status.st_ino, status.st_mtime_ns), now
            elif now - since > _GUARD_SECONDS:
                guard.unlink()
        time.sleep(0.002 + secrets.randbelow(8) / 1000)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            guard.unlink()


def read_or_none(path: Path) -> bytes | None:
    """A file's content; None where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def sync(path: Path) -> None:
    """Make a file's bytes durable."""
    with path.open("rb") as file:
        if os.name != "nt":  # Windows syncs only what is open for writing
            os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_leftover(name: str, *, own: bool = False) -> bool:
    """Whether a file's name is a temporary one of zoohub's. `own`: in a folder that is all
    zoohub's, so that the plainer names of earlier versions count too."""
    return bool(_LEFTOVER.fullmatch(name) or (own and _OLD_LEFTOVER.fullmatch(name)))


def leftovers(
    folder: Path, *, now: float, older_than: float = HOUR, own: bool = False
) -> list[Path]:
    """Temporary files in a folder that have not changed for so long that nobody writes to them, and
    folders of a day ago: a folder does not change with the files in it."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_leftover(entry.name, own=own and not is_folder):
                least = max(older_than, _DAY) if is_folder else older_than
                with contextlib.suppress(OSError):
                    if now - entry.stat(follow_symlinks=False).st_mtime > least:
                        found.append(Path(entry.path))
    return sorted(found)


def remove_leftovers(folder: Path, *, own: bool = False) -> None:
    """Remove what killed processes left in a folder more than an hour ago, see `leftovers`."""
    for path in leftovers(folder, now=time.time(), own=own):
        with contextlib.suppress(OSError):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
