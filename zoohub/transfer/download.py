"""One source's bytes into one unfinished file: resume, retries, never past the known size."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from zoohub.errors import NoSpaceError
from zoohub.store.files import store_errors
from zoohub.store.hashing import FileHash
from zoohub.store.layout import url_key
from zoohub.store.partial import Origin as Provenance
from zoohub.store.partial import Partial
from zoohub.store.policy import TransferPolicy
from zoohub.transfer.follower import Follower
from zoohub.transfer.origin import Origin, Reply, SourceError
from zoohub.transfer.progress import Progress

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Resume:
    """Where to go on: from byte `start`, if the file is still the one of `validator`."""

    start: int
    validator: str | None


def plan_resume(
    here: Provenance, frontier: int, source: str, *, known: bool, full_hash: bool
) -> Resume:
    """Decide what the bytes that are here are worth for `source`.

    With a full hash they may come from anywhere: the hash decides at the end. Without one they
    must be of the same source, noted as such, and the source must tell if its file has changed.
    """
    same = known and here.source == url_key(source)
    if frontier == 0:
        return Resume(0, None)
    if same and here.validator is not None:
        return Resume(frontier, here.validator)
    return Resume(frontier, None) if full_hash else Resume(0, None)


def backoff(attempt: int, policy: TransferPolicy, jitter: float) -> float:
    """Seconds to wait before try `attempt` (1 is the first repetition); `jitter` is 0 to 1."""
    return min(policy.backoff * 2.0 ** (attempt - 1), policy.backoff_limit) * (0.5 + 0.5 * jitter)


class Download:
    """Gets one file from one source after another into `partial`."""

    def __init__(
        self,
        partial: Partial,
        *,
        size: int | None,
        full_hash: bool,
        policy: TransferPolicy,
        progress: Progress,
        free: Callable[[], int],
    ) -> None:
        self._partial = partial
        self._size = size
        self._full_hash = full_hash
        self._policy = policy
        self._progress = progress
        self._free = free
        self._follower: Follower | None = None
        self.fetched = 0  # bytes that came from the source now being asked

    @property
    def mixed(self) -> bool:
        """Whether the file also holds bytes that did not come from the last source now."""
        return self.fetched < self._partial.frontier

    def get(self, origin: Origin, url: str) -> FileHash:
        """Fetch what is missing, and hash the whole.

        Raises:
            SourceError: the source fails; what came stays in the partial file.
            NoSpaceError, StoreError: the disk fails.
        """
        self.fetched = 0
        tries = 0
        while True:
            before = self.fetched
            try:
                self._attempt(origin, url)
                break
            except SourceError as error:
                if error.kind == "changed":
                    self._restart(Provenance(url_key(url)))
                elif error.kind not in ("transient", "unreachable"):
                    raise
                tries = 1 if self.fetched > before else tries + 1
                never = error.kind == "unreachable" and self.fetched == 0
                if tries >= (self._policy.unreachable_tries if never else self._policy.tries):
                    raise
                wait = error.retry_after
                if wait is None:
                    wait = backoff(tries, self._policy, random.random())
                elif wait > 2:
                    self._progress.message(f"the server asks to wait {wait:.0f} s ({error})")
                time.sleep(wait)
        with store_errors("read", self._partial.path):
            found = self._following().result(self._partial.frontier)
        self._follower = None
        return found

    def restart(self) -> None:
        """Throw away what is here."""
        self._restart(Provenance())

    def close(self) -> None:
        """Stop hashing."""
        if self._follower is not None:
            self._follower.abandon()
            self._follower = None

    def _attempt(self, origin: Origin, url: str) -> None:
        partial = self._partial
        resume = plan_resume(
            partial.origin,
            partial.frontier,
            url,
            known=partial.known,
            full_hash=self._full_hash,
        )
        if resume.start == 0 and partial.frontier:
            self._restart(Provenance(url_key(url)))
        reply = origin.open(url, start=resume.start, validator=resume.validator)
        with contextlib.closing(reply):
            here = Provenance(url_key(url), reply.validator, reply.total)
            if reply.start == 0:
                self._restart(here)
            elif reply.start != partial.frontier:
                raise SourceError("transient", f"it sends from byte {reply.start}")
            elif _changed(partial.origin, here):
                raise SourceError("changed", "the file changed during the download")
            else:
                with store_errors("write", partial.path):
                    partial.begin(here)
            self._check_size(reply)
            self._stream(reply)

    def _check_size(self, reply: Reply) -> None:
        """Refuse what cannot be right or cannot fit, before it is fetched."""
        if reply.total is None:
            if not reply.framed and not self._full_hash:
                raise SourceError(
                    "refused", "the server does not say how long the file is, and there is no hash"
                )
        elif self._size is not None and reply.total != self._size:
            raise SourceError(
                "refused", f"its file has {reply.total} bytes, {self._size} are expected"
            )
        total = self._size if reply.total is None else reply.total
        if total is not None:
            check_space(total - self._partial.frontier, self._free())

    def _stream(self, reply: Reply) -> None:
        partial, policy = self._partial, self._policy
        span = partial.spans[0]
        limit = self._size if self._size is not None else reply.total
        follower = self._following()
        follower.advance(span.done)
        noted = synced = span.done
        while data := reply.read(CHUNK):
            if limit is not None and span.done + len(data) > limit:
                raise SourceError("gone", f"it sends more than the {limit} bytes it should have")
            with store_errors("write", partial.path):
                partial.write(span, data)
                if span.done - synced >= policy.sync_every:
                    partial.note(sync=True)
                    noted = synced = span.done
                elif span.done - noted >= policy.note_every:
                    partial.note()
                    noted = span.done
            follower.advance(span.done)
            self.fetched += len(data)
            self._progress.advance(len(data))
        if reply.total is not None and span.done < reply.total:
            raise SourceError("transient", f"{reply.total - span.done} bytes are missing")

    def _restart(self, origin: Provenance) -> None:
        if self._follower is not None:
            self._follower.abandon()
            self._follower = None
        self._progress.advance(-self._partial.have)
        self.fetched = 0
        with store_errors("write", self._partial.path):
            self._partial.restart(origin)
            self._partial.note()

    def _following(self) -> Follower:
        if self._follower is None:
            self._follower = Follower(self._partial)
        return self._follower


def _changed(before: Provenance, now: Provenance) -> bool:
    """Whether the same source's file is another one than when the bytes here came."""
    if before.source != now.source:
        return False
    return (
        None not in (before.validator, now.validator) and before.validator != now.validator
    ) or (None not in (before.total, now.total) and before.total != now.total)


def check_space(needed: int, free: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        NoSpaceError: says how much is missing.
    """
    if needed > free:
        raise NoSpaceError(
            f"{needed} more bytes are needed, {free} are free on the store's disk. Free some "
            "(`zoohub cache prune --max-size 20G`), or set ZOOHUB_HOME to one on a larger disk."
        )
