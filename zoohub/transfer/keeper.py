"""Keeps an unfinished file's note up to date and its bytes durable, beside the transfer.

A disk that is busy writing makes every new file name wait; no connection should wait with it.
"""

from __future__ import annotations

import contextlib
import threading

from zoohub.store.partial import Partial
from zoohub.store.policy import TransferPolicy


class Keeper:
    """Two threads, started when there is something for them to do; a context manager."""

    def __init__(self, partial: Partial, policy: TransferPolicy) -> None:
        self._partial, self._policy = partial, policy
        self._unnoted = self._unsynced = 0
        self._note = threading.Event()
        self._over = threading.Event()
        self._noter: threading.Thread | None = None
        self._syncer: threading.Thread | None = None

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._note.set()
        for thread in (self._noter, self._syncer):
            if thread is not None:
                thread.join()

    def came(self, count: int) -> None:
        """Count bytes that were written. Called by one thread at a time."""
        self._unnoted += count
        self._unsynced += count
        if self._unnoted >= self._policy.note_every:
            self._unnoted = 0
            self._note.set()
            if self._noter is None:
                self._noter = threading.Thread(target=self._notes, name="zoohub-note", daemon=True)
                self._noter.start()
        busy = self._syncer is not None and self._syncer.is_alive()
        if self._unsynced >= self._policy.sync_every and not busy:
            self._unsynced = 0
            self._syncer = threading.Thread(target=self._sync, name="zoohub-sync", daemon=True)
            self._syncer.start()

    def _notes(self) -> None:
        while True:
            self._note.wait()
            self._note.clear()
            if self._over.is_set():
                return
            # A disk that takes no note takes no bytes either, and whoever writes them says so.
            with contextlib.suppress(OSError):
                self._partial.note()
            self._over.wait(self._policy.note_pause)

    def _sync(self) -> None:
        with contextlib.suppress(OSError):
            self._partial.sync()
