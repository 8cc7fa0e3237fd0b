"""Bringing a mirror up to date: only what is missing or wrong is fetched, several at a time.

Each file is fetched into a small store of its own in the mirror's work folder, on the mirror's
own disk, and moved from there into place: nothing is ever on the disk twice, an interrupted
download goes on where it stopped, and a file that the user's own store has is linked instead.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import deque
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zoohub.errors import MirrorError, NoSpaceError, ZoohubError
from zoohub.manifest.entry import Checkpoint
from zoohub.manifest.hashes import FileRecord
from zoohub.mirror.publish import Publisher, check_key
from zoohub.mirror.selection import Selection, Skipped, Wanted, is_published
from zoohub.mirror.state import Journal, alone, hash_stream, read_state
from zoohub.mirror.target import Target
from zoohub.settings import Settings
from zoohub.store import Store, TransferPolicy
from zoohub.store.layout import file_key, full_sha256
from zoohub.store.records import read_verification
from zoohub.transfer.fetch import fetch_with
from zoohub.transfer.many import SharedProgress
from zoohub.transfer.origin import Request, SourceError
from zoohub.transfer.plan import plan_fetch
from zoohub.transfer.pool import Pool
from zoohub.transfer.progress import Progress, Silent


@dataclass(frozen=True)
class SyncPlan:
    """What a sync has to do: `fetch` these, `check` those (they lie there unrecorded), leave
    `current` ones alone."""

    fetch: tuple[Wanted, ...]
    check: tuple[Wanted, ...]
    current: tuple[Wanted, ...]


@dataclass(frozen=True)
class SyncReport:
    """What a sync did, or with `dry_run` would do. `fetched` and `linked` name references,
    `size` counts the bytes put in place; `serial` is the mirror's, None if nothing is published.
    """

    plan: SyncPlan
    fetched: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failures: tuple[tuple[str, ZoohubError], ...] = ()
    size: int = 0
    published: bool = False
    serial: int = 0


def plan_sync(
    wanted: tuple[Wanted, ...], records: Mapping[str, FileRecord], sizes: Mapping[str, int]
) -> SyncPlan:
    """Compare what is wanted with what is recorded and with what lies there (`sizes`, in bytes)."""
    fetch: list[Wanted] = []
    check: list[Wanted] = []
    current: list[Wanted] = []
    for item in wanted:
        record, there = records.get(item.path), sizes.get(item.path)
        if record is not None and there == record.size and agrees(item.checkpoint, record):
            current.append(item)
        elif record is None and there and full_sha256(item.checkpoint) is not None:
            check.append(item)
        else:
            fetch.append(item)
    return SyncPlan(tuple(fetch), tuple(check), tuple(current))


def agrees(checkpoint: Checkpoint, record: FileRecord) -> bool:
    """Whether a file of that hash and size can be the checkpoint's."""
    full = full_sha256(checkpoint)
    if checkpoint.size is not None and checkpoint.size != record.size:
        return False
    if full is not None:
        return full == record.sha256
    prefix = checkpoint.sha256_prefix if checkpoint.declared == "prefix" else None
    return record.sha256.startswith((prefix or "").lower())


def pinned(checkpoint: Checkpoint, record: FileRecord | None) -> Checkpoint:
    """The checkpoint with the recorded hash in force where the index declares no full one."""
    if record is None or full_sha256(checkpoint) is not None or not agrees(checkpoint, record):
        return checkpoint
    return replace(checkpoint, declared="sha256", sha256=record.sha256, size=record.size)


def sync(
    target: Target,
    selection: Selection,
    documents: Mapping[str, dict[str, Any]],
    settings: Settings,
    publisher: Publisher,
    *,
    jobs: int = 4,
    max_size: int | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    policy: TransferPolicy | None = None,
) -> SyncReport:
    """Bring the mirror up to date and publish it.

    `documents` are the compiled models of the selection, by name; models that the mirror held
    before stay in its index. What fails is told in the report, the rest goes on. `max_size`
    also leaves out files whose size only their server knows.

    Raises:
        MirrorError: the place is no mirror and not empty; the mirror cannot be read or written, or
            is signed and no key was given.
    """
    work = target.work(settings.home)
    if dry_run:
        state = read_state(target)
        records = {**state.files, **Journal(work).read()}
        plan = plan_sync(selection.wanted, records, target.sizes())
        return SyncReport(plan, skipped=selection.skipped, serial=state.manifest.serial)
    with alone(work, target.name):
        state = read_state(target)
        check_key(state, publisher.key, target.name)
        journal = Journal(work)
        records = {**state.files, **journal.read()}
        sizes = target.sizes()
        if not records and state.manifest.created is None:
            check_place(target.name, selection.wanted, sizes)
        plan = plan_sync(selection.wanted, records, sizes)
        run = Run(target, settings, work, journal, records, policy or TransferPolicy())
        run.progress, run.max_size = progress or Silent(), max_size
        run.work_off(plan.check, plan.fetch, jobs)
        manifest = None
        # The mirror's own index is only read where it may hold more than what was asked for.
        if publisher.is_due(target, state, documents, records):
            merged = {**state.documents, **documents}
            manifest = publisher.publish(target, state, merged, records)
        journal.clear()
        with contextlib.suppress(OSError):
            (work / "fetch").rmdir()
    return SyncReport(
        plan,
        fetched=tuple(run.fetched),
        linked=tuple(run.linked),
        skipped=(*selection.skipped, *run.skipped),
        failures=tuple(run.failures),
        size=run.size,
        published=manifest is not None,
        serial=state.manifest.serial if manifest is None else manifest.serial,
    )


def check_place(name: str, wanted: tuple[Wanted, ...], sizes: Mapping[str, int]) -> None:
    """Refuse to make a mirror among somebody's other files, which `prune` would take for waste.

    Raises:
        MirrorError: there is a file that no mirror of these files has.
    """
    hosts = {item.path.partition("/")[0] for item in wanted}
    for path in sorted(sizes):
        if path.partition("/")[0] not in hosts and not is_published(path):
            raise MirrorError(
                f"{name} is no mirror yet and not empty (it has {path}); give an empty folder"
            )


@dataclass
class Run:
    """One sync's files: fetched by several threads, recorded by the one that waits for them."""

    target: Target
    settings: Settings
    work: Path
    journal: Journal
    records: dict[str, FileRecord]
    policy: TransferPolicy
    progress: Progress = field(default_factory=Silent)
    max_size: int | None = None
    repairing: bool = False
    fetched: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    failures: list[tuple[str, ZoohubError]] = field(default_factory=list)
    size: int = 0

    def work_off(self, check: tuple[Wanted, ...], fetch: tuple[Wanted, ...], jobs: int) -> None:
        """Check these (and fetch what is wrong), fetch those."""
        if not check and not fetch:
            return
        waiting = deque([*((item, True) for item in check), *((item, False) for item in fetch)])
        shared = SharedProgress(self.progress, len(waiting))
        extra = max(0, self.settings.connections - jobs)
        with Pool(self.settings, self.policy, limit=extra) as pool:

            def one(item: Wanted, unrecorded: bool) -> _Done:
                try:
                    return self._one(pool, item, unrecorded, shared.listener())
                finally:
                    if shared.over() < jobs <= self.settings.connections:
                        pool.give_spare()

            with ThreadPoolExecutor(max(1, jobs), "zoohub-mirror") as threads:
                running: dict[Future[_Done], Wanted] = {}
                try:
                    while waiting or running:
                        while waiting and len(running) < 2 * jobs:
                            item, unrecorded = waiting.popleft()
                            running[threads.submit(one, item, unrecorded)] = item
                        for future in wait(running, return_when=FIRST_COMPLETED).done:
                            self._note(running.pop(future), future)
                except BaseException:
                    pool.stopped.set()
                    threads.shutdown(cancel_futures=True)
                    raise
                finally:
                    shared.finish()

    def _note(self, item: Wanted, future: Future[_Done]) -> None:
        try:
            done = future.result()
        except NoSpaceError:
            raise
        except ZoohubError as error:
            self.failures.append((item.checkpoint.reference, error))
            return
        if done.record is None:
            self.skipped.append(Skipped(item.checkpoint.reference, "larger than --max-size"))
            return
        self.records[item.path] = done.record
        self.journal.note(item.path, done.record)
        if done.how == "fetched":
            self.fetched.append(item.checkpoint.reference)
        elif done.how == "linked":
            self.linked.append(item.checkpoint.reference)
        if done.how != "kept":
            self.size += done.record.size

    def _one(self, pool: Pool, item: Wanted, unrecorded: bool, progress: Progress) -> _Done:
        """Have one file in place, on a thread of its own."""
        if unrecorded:
            with self.target.open(item.path) as stream:
                record = hash_stream(stream)
            if agrees(item.checkpoint, record):
                return _Done(record, "kept")
        checkpoint = pinned(item.checkpoint, self.records.get(item.path))
        own = Store(self.settings.home)
        if checkpoint.declared != "sha256" and (ref := own.recorded(checkpoint)) is not None:
            checkpoint = pinned(checkpoint, FileRecord(ref.sha256, ref.size))
        path = own.find(checkpoint)
        if path is not None:
            return self._place(item, path, "linked")
        if self._is_too_large(pool, checkpoint):
            return _Done(None, "skipped")
        home = self.work / "fetch" / file_key(checkpoint)[:32]
        settings = replace(self.settings, home=home)
        if self.repairing:
            self._offer_pieces(item, checkpoint, Store(home))
        path = fetch_with(pool, checkpoint, settings, self.policy, progress)
        done = self._place(item, path, "fetched")
        shutil.rmtree(home, ignore_errors=True)
        return done

    def _place(self, item: Wanted, path: Path, how: str) -> _Done:
        # The store names a file by its hash, and has verified it under this name.
        known = read_verification(path)
        marks = known.marks if known else ()
        record = FileRecord(path.name.partition(".")[0], path.stat().st_size, marks)
        self.target.place(item.path, path, keep=how == "linked")
        return _Done(record, how)

    def _offer_pieces(self, item: Wanted, checkpoint: Checkpoint, store: Store) -> None:
        """Let the download take what is still good of a damaged file."""
        record = self.records.get(item.path)
        if record is None or len(record.marks) < 2 or checkpoint.sha256 != record.sha256:
            return
        store.prepare()
        copy = store.layout.partial / f"{record.sha256}.copy"
        try:
            with self.target.open(item.path) as source, copy.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
        except MirrorError:
            return  # it is missing, not damaged
        store.quarantine(
            copy, f"{record.sha256}.damaged", right_size=record.size, marks=record.marks
        )

    def _is_too_large(self, pool: Pool, checkpoint: Checkpoint) -> bool:
        """Whether the file is larger than wished, by the index or by what its server says."""
        if self.max_size is None:
            return False
        if checkpoint.size is not None:
            return checkpoint.size > self.max_size
        for candidate in plan_fetch(checkpoint, self.settings).candidates:
            with contextlib.suppress(SourceError), pool.lend(candidate.url) as origin:
                reply = origin.open(Request(candidate.url, 0, 1))
                reply.close()
                if reply.total is not None:
                    return reply.total > self.max_size
        raise MirrorError(
            f"{checkpoint.reference}: no source says how large it is, so --max-size cannot be "
            "kept; mirror it without"
        )


@dataclass(frozen=True, slots=True)
class _Done:
    """A file in place, and how it came there; without a record it was left out."""

    record: FileRecord | None
    how: str
