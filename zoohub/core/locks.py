"""Locks that are had at once or not at all, and leave no file behind."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from filelock import FileLock


def lock_now(file: Path) -> FileLock:
    """The lock on `file`, whose folder is made: of the file that has this name now, and not of one
    that its last holder has removed since it was opened, while somebody else may hold the new one.

    Raises:
        Timeout: another process has it.
        OSError: the file cannot be made, or its file system has no locks.
    """
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file, timeout=0)
        try:
            lock.acquire()
        except NotImplementedError as error:  # before filelock learned to do without flock
            why = "the file system has no locks; update filelock, which can do without"
            raise OSError(errno.ENOSYS, why) from error
        descriptor = getattr(getattr(lock, "_context", None), "lock_file_fd", None)
        if not isinstance(descriptor, int):
            return lock
        try:
            if os.path.samestat(os.fstat(descriptor), file.stat()):
                return lock
        except FileNotFoundError:
            pass
        lock.release()


def let_go(lock: FileLock) -> None:
    """Release a lock from `lock_now`, and remove its file while it is ours."""
    with contextlib.suppress(OSError):  # Windows removes it itself, and not while it is open
        Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
