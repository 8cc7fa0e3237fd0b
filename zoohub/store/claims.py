"""Who may download a file: one process at a time, on local disks and, where names are seen in
time, on shared ones, without relying on flock.

In `partial/`:

    <key>.part           idle: an unfinished file that nobody owns
    <key>.<owner>.part   owned by a process
    <key>.<owner>.claim  a process that wants to own it

A process raises its flag (`.claim`), then looks for others. Of two that do so, the one that raised
its flag later sees the other's: never do both believe to be alone. Only who is alone takes the
idle file (by renaming it) or starts a new one. A claim that fails to exclude costs bandwidth;
what is published is verified whatever happens here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.atomic import fresh_name, open_new
from zoohub.store.files import unlink
from zoohub.store.owner import Owner, provably_dead, this_owner
from zoohub.store.partial import Partial
from zoohub.store.policy import TransferPolicy


@dataclass(frozen=True, slots=True)
class Rival:
    """Another claim to the same file: its flag (`claim`) or its unfinished file (`part`)."""

    owner: Owner
    kind: str
    path: Path


def rivals(folder: Path, key: str, me: Owner) -> list[Rival]:
    """All claims to `key` but mine."""
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            rest, _, kind = entry.name.rpartition(".")
            if kind not in ("part", "claim") or not rest.startswith(key + "."):
                continue
            owner = Owner.parse(rest[len(key) + 1 :])
            if owner is not None and owner != me:
                found.append(Rival(owner, kind, Path(entry.path)))
    return found


class Watch:
    """Tells which rivals have not moved for too long, by this process's own clock."""

    def __init__(self, stale_after: float) -> None:
        self._stale_after = stale_after
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}

    def stale(self, rival: Rival) -> bool:
        """Whether the rival's file looked the same for the whole limit."""
        try:
            status = rival.path.stat()
        except OSError:
            return False
        signature = (status.st_mtime_ns, status.st_size)
        now = time.monotonic()
        before = self._seen.get(rival.path)
        if before is None or before[0] != signature:
            self._seen[rival.path] = (signature, now)
            return False
        return now - before[1] >= self._stale_after


class Pulse:
    """Shows others that this process lives, also while it waits for a server: one thread for all
    claims of a call; a context manager."""

    def __init__(self, policy: TransferPolicy) -> None:
        self._every = policy.stale_after / 4
        self._claims: set[Claim] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="zoohub-pulse", daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def add(self, claim: Claim) -> None:
        """Keep a claim alive."""
        with self._lock:
            self._claims.add(claim)

    def remove(self, claim: Claim) -> None:
        """Let it go."""
        with self._lock:
            self._claims.discard(claim)

    def _beat(self) -> None:
        while not self._stop.wait(self._every):
            with self._lock:
                for claim in self._claims:
                    claim.touch()


class Claim:
    """The right to download one file, and the unfinished file itself; a context manager."""

    def __init__(self, partial: Partial, flag: Path, pulse: Pulse) -> None:
        self.partial = partial
        self._flag = flag
        self._pulse = pulse

    def __enter__(self) -> Partial:
        self._pulse.add(self)
        try:
            self.partial.open()
        except BaseException:
            self.__exit__()
            raise
        return self.partial

    def __exit__(self, *_: object) -> None:
        self._pulse.remove(self)
        self.partial.release()
        unlink(self._flag)

    def unless(self, published: Callable[[], bool]) -> Claim | None:
        """This claim, or None if an owner published and left between the last look and the claim:
        without this second look, under the claim, the file would be fetched again."""
        try:
            if not published():
                return self
        except BaseException:
            self.partial.release()
            unlink(self._flag)
            raise
        self.partial.discard()
        unlink(self._flag)
        return None

    def touch(self) -> None:
        """Move the files' times."""
        for path in (self.partial.path, self._flag):
            with contextlib.suppress(OSError):
                os.utime(path)


def acquire(
    folder: Path,
    key: str,
    *,
    published: Callable[[], bool],
    policy: TransferPolicy,
    pulse: Pulse,
    notice: Callable[[str], None],
) -> Claim | None:
    """Wait for the right to download `key`; None if it was published meanwhile."""
    me = this_owner()
    watch = Watch(policy.stale_after)
    began = said = time.monotonic()
    while not published():
        others = rivals(folder, key, me)
        dead = {rival.owner for rival in others if provably_dead(rival.owner, me)}
        stale = {rival.owner for rival in others if rival.owner not in dead and watch.stale(rival)}
        now = time.monotonic()
        alone = now - began > policy.wait_limit
        if alone or {rival.owner for rival in others} <= dead | stale:
            claim = _attempt(folder, key, me, dead, stale, pulse, force=alone)
            if claim is not None:
                return claim.unless(published)
        elif now - said >= policy.notice_every:
            said = now
            owner = next(r.owner for r in others if r.owner not in dead | stale)
            notice(
                f"waiting for another process to download this file (process {owner.pid} on "
                f"{owner.host}, {now - began:.0f} s)"
            )
        time.sleep(policy.poll)
    return None


def _attempt(
    folder: Path,
    key: str,
    me: Owner,
    dead: set[Owner],
    stale: set[Owner],
    pulse: Pulse,
    *,
    force: bool,
) -> Claim | None:
    """Raise the flag; take the file if nobody else is there, else lower the flag again."""
    flag = folder / f"{key}.{me}.claim"
    open_new(flag).close()
    try:
        if force or _alone(folder, key, me, dead | stale):
            partial = Partial(folder, key, me)
            _take(partial, rivals(folder, key, me), dead, stale, force=force)
            return Claim(partial, flag, pulse)
    except BaseException:
        unlink(flag)
        raise
    unlink(flag)
    return None


def _alone(folder: Path, key: str, me: Owner, ignored: set[Owner]) -> bool:
    """Whether no other live claim is there, once those that must yield to mine have."""
    for _ in range(50):
        # Twice: an owner's flag may go, after its file came, while a folder is being read.
        seen = [*rivals(folder, key, me), *rivals(folder, key, me)]
        others = [rival for rival in seen if rival.owner not in ignored]
        if not others:
            return True
        if any(rival.kind == "part" or str(rival.owner) < str(me) for rival in others):
            return False
        time.sleep(0.01)
    return False


def _take(
    partial: Partial, others: Iterable[Rival], dead: set[Owner], stale: set[Owner], *, force: bool
) -> None:
    """Make `partial` exist: idle or a dead owner's file by renaming, a stale one's by copying."""
    parts = [] if force else [rival for rival in others if rival.kind == "part"]
    _sweep(partial, dead)
    idle = partial.folder / f"{partial.key}.part"
    movable = [rival.path for rival in parts if rival.owner in dead]
    if not force:
        movable.append(idle)
    for source in sorted(movable, key=_size, reverse=True):
        if _size(source) >= 0 and not partial.path.exists():
            _move(source, partial)
        elif source != idle:
            unlink(source)
            unlink(source.with_suffix(".map"))
    if not partial.path.exists():
        for rival in sorted(parts, key=lambda rival: _size(rival.path), reverse=True):
            if rival.owner in stale and _copy(rival.path, partial):
                break
    if not partial.path.exists():
        open_new(partial.path).close()


def _sweep(partial: Partial, dead: set[Owner]) -> None:
    """Remove what the dead left half-written beside their files."""
    owners = {str(owner) for owner in dead}
    for path in partial.folder.glob(f"{partial.key}.*"):
        owner, _, kind = path.name[len(partial.key) + 1 :].partition(".")
        if owner in owners and kind not in ("part", "map"):
            unlink(path)
    for path in partial.folder.glob(f".{partial.key}.*.tmp"):
        if path.name[len(partial.key) + 2 :].partition(".")[0] in owners:
            unlink(path)


def _move(source: Path, partial: Partial) -> None:
    """Take over a file nobody writes to any more, with its note."""
    try:
        source.rename(partial.path)
    except OSError:
        return  # somebody else was faster
    with contextlib.suppress(OSError):
        source.with_suffix(".map").replace(partial.map_path)
    if not os.access(partial.path, os.W_OK):
        # Another user's file: its folder lets us move it, its mode does not let us write.
        theirs = partial.path.with_suffix(".theirs")
        partial.path.replace(theirs)
        _copy(theirs, partial)
        unlink(theirs)


def _copy(source: Path, partial: Partial) -> bool:
    """Copy a paused owner's bytes: it may wake up and go on writing into its own file."""
    fresh = fresh_name(partial.path)
    try:
        # The bytes may be overwritten while they are copied and no note speaks of the copy: only
        # a full hash can make use of it, and the verification at the end has the last word.
        with source.open("rb") as old, open_new(fresh) as new:
            shutil.copyfileobj(old, new, 1 << 20)
        fresh.replace(partial.path)
    except OSError:
        unlink(fresh)
        return False
    return True


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
