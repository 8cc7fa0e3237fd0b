"""Locks that are had at once or not at all, and leave no file behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from zoohub.core import locks
from zoohub.core.locks import let_go, lock_now

HOLDER = """
import sys, time
from pathlib import Path
from zoohub.core.locks import lock_now
held = lock_now(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def test_one_has_it_and_its_file_goes_with_it(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "lock"
    held = lock_now(file)
    with pytest.raises(filelock.Timeout):
        lock_now(file)
    let_go(held)
    assert list(file.parent.iterdir()) == []
    let_go(lock_now(file))


def test_what_a_killed_process_held_is_free(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(file)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(filelock.Timeout):
            lock_now(file)
        process.send_signal(signal.SIGKILL)
    let_go(lock_now(file))
    assert not file.exists()


def test_a_lock_on_a_file_that_was_removed_meanwhile_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B opens the lock's file, A leaves and removes it, C makes a new one: B must not go in."""
    file = tmp_path / "lock"

    class Slow(filelock.FileLock):  # type: ignore[misc,valid-type]
        removed = False

        def acquire(self, *args: object, **options: object) -> object:
            got = super().acquire(*args, **options)  # type: ignore[arg-type]
            if not Slow.removed:
                Slow.removed = True
                file.unlink()
            return got

    monkeypatch.setattr(locks, "FileLock", Slow)
    held = lock_now(file)
    assert file.exists()
    monkeypatch.setattr(locks, "FileLock", filelock.FileLock)
    with pytest.raises(filelock.Timeout):
        lock_now(file)
    let_go(held)


def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Old(filelock.FileLock):  # type: ignore[misc,valid-type]
        """As filelock was before it could do without flock."""

        def acquire(self, *args: object, **options: object) -> object:
            raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr(locks, "FileLock", Old)
    with pytest.raises(OSError, match="the file system has no locks; update filelock"):
        lock_now(tmp_path / "lock")
