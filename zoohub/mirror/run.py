"""The files of one sync or repair: fetched or linked by several threads, each put into place."""

from __future__ import annotations

import contextlib
import shutil
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path

from zoohub.core.atomic import fresh_name, open_new
from zoohub.errors import MirrorError, NoSpaceError, ZoohubError
from zoohub.manifest.entry import Checkpoint
from zoohub.manifest.hashes import FileRecord
from zoohub.mirror.selection import Skipped, Wanted
from zoohub.mirror.state import Journal, hash_stream
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
        copy = fresh_name(store.layout.partial / "damaged")
        try:
            with self.target.open(item.path) as source, open_new(copy) as file:
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
