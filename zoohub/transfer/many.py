"""Several checkpoints at once, over shared connections, with one progress display."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.counting import counted
from zoohub.errors import ZoohubError
from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.store.policy import TransferPolicy
from zoohub.transfer.fetch import fetch_with
from zoohub.transfer.pool import Pool
from zoohub.transfer.progress import Progress, Silent


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one checkpoint: a path, or the error."""

    checkpoint: Checkpoint
    path: Path | None
    error: ZoohubError | None


def fetch_many(
    checkpoints: Sequence[Checkpoint],
    settings: Settings,
    *,
    jobs: int = 8,
    progress: Progress | None = None,
    policy: TransferPolicy | None = None,
    hint: str | None = None,
) -> list[Fetched]:
    """Fetch checkpoints, `jobs` at a time; the results are in the order of the checkpoints.

    One that fails does not keep the others. `hint` is added to each `OfflineError`.

    Raises:
        KeyboardInterrupt: the user wants no more; what came is kept, to be continued.
    """
    policy = policy or TransferPolicy()
    shared = SharedProgress(progress or Silent(), len(checkpoints))
    extra = max(0, settings.connections - jobs)

    with Pool(settings, policy, limit=extra) as pool:

        def one(checkpoint: Checkpoint) -> Fetched:
            listener = shared.listener()
            try:
                path = fetch_with(pool, checkpoint, settings, policy, listener, hint)
            except ZoohubError as error:
                return Fetched(checkpoint, None, error)
            finally:
                # Towards the end fewer files are at work: the others get the free connections.
                if shared.over() < jobs <= settings.connections:
                    pool.give_spare()
            return Fetched(checkpoint, path, None)

        with ThreadPoolExecutor(jobs, thread_name_prefix="zoohub-fetch") as executor:
            try:
                return list(executor.map(one, checkpoints))
            except BaseException:
                pool.stopped.set()
                executor.shutdown(cancel_futures=True)
                raise
            finally:
                shared.finish()


class SharedProgress:
    """Adds up the progress of several transfers for one display."""

    def __init__(self, progress: Progress, count: int) -> None:
        self._progress, self._count = progress, count
        self._lock = threading.Lock()
        self._over = self._done = self._total = 0
        self._started = False

    def listener(self) -> Progress:
        """A listener for one of the transfers."""
        return _Part(self)

    def over(self) -> int:
        """One transfer is over; returns how many are still to come or to end."""
        with self._lock:
            self._over += 1
            if self._started:
                self._show()
            return self._count - self._over

    def finish(self) -> None:
        """All are over."""
        with self._lock:
            if self._started:
                self._progress.finish()

    def expect(self, total: int, already: int) -> None:
        """Add to the whole what one transfer has before it and behind it."""
        with self._lock:
            self._total += total
            self._done += already
            self._started = True
            self._show()

    def advance(self, count: int) -> None:
        """Bytes came."""
        with self._lock:
            self._done += count
            self._progress.advance(count)

    def message(self, text: str) -> None:
        """Pass on what a transfer says."""
        with self._lock:
            self._progress.message(text)

    def _show(self) -> None:
        self._progress.start(
            f"{self._over}/{counted(self._count, 'file')}", self._total or None, self._done
        )


class _Part:
    """One transfer's share."""

    def __init__(self, shared: SharedProgress) -> None:
        self._shared = shared
        self._total = self._already = 0

    def start(self, name: str, total: int | None, already: int) -> None:
        self._shared.expect((total or 0) - self._total, already - self._already)
        self._total, self._already = total or 0, already

    def advance(self, count: int) -> None:
        self._already += count
        self._shared.advance(count)

    def message(self, text: str) -> None:
        self._shared.message(text)

    def finish(self) -> None:
        """The others may still be at work."""
