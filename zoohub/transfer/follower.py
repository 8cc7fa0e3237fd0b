"""Hashes an unfinished file in a thread, right behind the bytes that are being written."""

from __future__ import annotations

import threading

from zoohub.core.hashing import BLOCK, FileHash, RunningHash
from zoohub.store.partial import Partial

INLINE = 4 * BLOCK


class Follower:
    """Reads the file back, so that what is verified is what is on the disk, not what came."""

    def __init__(self, partial: Partial, running: RunningHash) -> None:
        self._partial = partial
        self._running = running
        self._wake = threading.Condition()
        self._limit = 0
        self._over = False
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def advance(self, limit: int) -> None:
        """Bytes below `limit` are complete and will not change."""
        with self._wake:
            if limit > self._limit:
                self._limit = limit
                if limit - self._running.size >= BLOCK:  # it is woken for whole blocks only
                    self._wake.notify()
                if self._thread is None and limit - self._running.size > INLINE:
                    self._thread = threading.Thread(
                        target=self._run, name="zoohub-hash", daemon=True
                    )
                    self._thread.start()

    def result(self, size: int) -> FileHash:
        """Wait until `size` bytes are hashed, and stop."""
        self.advance(size)
        self.stop()
        if self._error is not None:
            raise self._error
        return self._running.result()

    def stop(self) -> None:
        """Hash what was announced, and end."""
        with self._wake:
            self._over = True
            self._wake.notify()
        if self._thread is None:
            self._run()  # a small file is not worth a thread
        else:
            self._thread.join()

    def abandon(self) -> None:
        """End at once; the hash is not wanted any more."""
        with self._wake:
            self._limit = 0
        self.stop()

    def _run(self) -> None:
        buffer = memoryview(bytearray(BLOCK))
        try:
            while True:
                with self._wake:
                    while self._limit - self._running.size < BLOCK and not self._over:
                        self._wake.wait()
                    room = self._limit - self._running.size
                    if room <= 0:
                        return
                count = self._partial.read_into(buffer[: min(room, BLOCK)], self._running.size)
                if count <= 0:
                    raise OSError(f"{self._partial.path} was cut short while it was being hashed")
                self._running.update(buffer[:count])
        except BaseException as error:
            self._error = error
