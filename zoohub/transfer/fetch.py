"""A checkpoint's verified file: from the store, else from the first source that has it right."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from zoohub.core.atomic import open_new
from zoohub.core.counting import counted
from zoohub.core.hashing import FileHash
from zoohub.core.urls import redact
from zoohub.errors import StoreError
from zoohub.manifest.entry import Checkpoint
from zoohub.settings import Settings
from zoohub.store import Store, TransferPolicy
from zoohub.store.files import store_errors
from zoohub.store.layout import full_sha256, url_key
from zoohub.store.partial import Partial
from zoohub.store.records import Ref
from zoohub.transfer.decide import check_space
from zoohub.transfer.download import Download
from zoohub.transfer.failing import Failed, expected_text, failure
from zoohub.transfer.origin import SourceError
from zoohub.transfer.plan import Candidate, FetchPlan, plan_fetch
from zoohub.transfer.pool import Pool
from zoohub.transfer.progress import Progress, Silent
from zoohub.transfer.salvage import Salvage, salvage
from zoohub.transfer.sniff import is_no_checkpoint, looks_like
from zoohub.transfer.terms import Terms
from zoohub.transfer.vouched import vouched_record


def fetch(
    checkpoint: Checkpoint,
    settings: Settings,
    *,
    progress: Progress | None = None,
    policy: TransferPolicy | None = None,
    hint: str | None = None,
) -> Path:
    """The path of the checkpoint's file in the store, fetched and verified first if need be.

    `hint` is a sentence that is added to an `OfflineError`.

    Raises:
        IntegrityError: sources gave other bytes than declared or recorded; nothing was published.
        OfflineError: not in the store, and the network is off or unreachable.
        AccessDenied: every source that answered wants credentials.
        NoSpaceError: the disk is full.
        DownloadError: no source has it.
        StoreError: the store cannot be written.
    """
    policy = policy or TransferPolicy()
    path = Store(settings.home).find(checkpoint)
    if path is not None:
        return path
    with Pool(settings, policy, limit=settings.connections - 1) as pool:
        return fetch_with(pool, checkpoint, settings, policy, progress or Silent(), hint)


def fetch_with(
    pool: Pool,
    checkpoint: Checkpoint,
    settings: Settings,
    policy: TransferPolicy,
    progress: Progress,
    hint: str | None = None,
) -> Path:
    """`fetch` over connections shared with other transfers."""
    store = Store(settings.home)
    path = store.find(checkpoint)
    if path is not None:
        return path
    recorded = store.recorded(checkpoint)
    record = vouched_record(checkpoint, settings, pool, progress.message)
    if record is not None and (recorded is None or recorded.sha256 == record.sha256):
        wanted = replace(checkpoint, declared="sha256", sha256=record.sha256, size=record.size)
        plan = plan_fetch(wanted, settings)
    else:
        plan = plan_fetch(checkpoint, settings)
    if not plan.candidates:
        refused = [Failed(r.url, "refused", r.reason) for r in plan.refused]
        raise failure(checkpoint, plan, refused, settings, hint)
    store.prepare()

    def published() -> bool:
        if pool.stopped.is_set():
            raise KeyboardInterrupt
        return store.find(checkpoint) is not None

    claim = store.claim(
        plan.key, published, policy=policy, pulse=pool.pulse, notice=progress.message
    )
    with claim as partial:
        if partial is None:
            path = store.find(checkpoint)
            if path is None:
                raise StoreError(f"{checkpoint.reference} was removed as soon as it was published")
            return path
        work = _Fetch(checkpoint, settings, plan, store, partial, progress, policy)
        return work.run(pool, hint)


@dataclass
class _Fetch:
    """One checkpoint's fetch under a claim: source after source, until the bytes are right."""

    checkpoint: Checkpoint
    settings: Settings
    plan: FetchPlan
    store: Store
    partial: Partial
    progress: Progress
    policy: TransferPolicy
    failed: list[Failed] = field(default_factory=list)
    told: int = 0
    salvaged: Salvage | None = None

    def run(self, pool: Pool, hint: str | None) -> Path:
        plan = self.plan
        terms = Terms(
            name=self.checkpoint.reference,
            size=plan.size,
            full_hash=plan.sha256 is not None or self.store.recorded(self.checkpoint) is not None,
            https_only=plan.sha256 is None,
            connections=self.settings.connections,
            policy=self.policy,
        )
        download = Download(self.partial, terms, pool, self.progress, self.store.free)
        download.answered = self._tell
        sha256 = self.store.sha256_of(self.checkpoint)
        if sha256 is not None:
            with store_errors("write", self.partial.path):
                self.salvaged = salvage(self.store, sha256, self.partial)
        if plan.size is not None:
            check_space(plan.size - self.partial.have, self.store.free())
        self.progress.start(self.checkpoint.reference, plan.size, self.partial.have)
        try:
            for candidate in plan.candidates:
                path = self._try(download, candidate)
                if path is not None:
                    return path
        finally:
            download.close()
            self.progress.finish()
        refused = [Failed(r.url, "refused", r.reason) for r in plan.refused]
        raise failure(self.checkpoint, plan, [*self.failed, *refused], self.settings, hint)

    def _try(self, download: Download, candidate: Candidate) -> Path | None:
        """The published file, or None when this source has failed (and said so)."""
        url = candidate.url
        try:
            found = download.get(url)
            while self.salvaged and self._complaint(found) is not None:
                damaged = self.salvaged.next_damaged(found)
                if damaged is None:
                    break
                found = download.get_piece(url, damaged)
            self.salvaged = None
            if self._complaint(found) and download.mixed:
                # Some of the bytes were here before: they may be the wrong ones, not the source's.
                download.restart()
                found = download.get(url)
        except SourceError as error:
            self.failed.append(Failed(redact(url), error.kind, str(error)))
            return None
        complaint = self._complaint(found)
        if complaint is None:
            return self._publish(candidate, found)
        head = bytearray(512)
        count = self.partial.read_into(memoryview(head), 0)
        looks = looks_like(bytes(head[:count])) or "unknown data"
        reason = f"{complaint}; it looks like {looks}"
        self.failed.append(Failed(redact(url), "wrong", reason, found.sha256))
        self._set_aside(url, found, looks)
        return None

    def _complaint(self, found: FileHash) -> str | None:
        """What is wrong with the bytes, or None."""
        plan = self.plan
        if found.size == 0:
            return "the file is empty"
        if plan.size is not None and found.size != plan.size:
            return f"it has {counted(found.size, 'byte')}, {plan.size} expected"
        if plan.sha256 is not None:
            return None if found.sha256 == plan.sha256 else f"its SHA-256 is {found.sha256}"
        if plan.prefix is not None and not found.sha256.startswith(plan.prefix):
            return f"its SHA-256 is {found.sha256}, which does not begin with {plan.prefix}"
        recorded = self.store.recorded(self.checkpoint)
        if recorded is not None and recorded.sha256 != found.sha256:
            return f"its SHA-256 is {found.sha256}; at the first download it was {recorded.sha256}"
        head = bytearray(512)
        count = self.partial.read_into(memoryview(head), 0)
        if is_no_checkpoint(bytes(head[:count])):
            return f"it is {looks_like(bytes(head[:count]))}"
        return None

    def _publish(self, candidate: Candidate, found: FileHash) -> Path:
        plan, checkpoint = self.plan, self.checkpoint
        with_doubt = plan.doubtful
        if with_doubt is not None and not found.sha256.startswith(with_doubt.lower()):
            self.progress.message(
                f"warning: {checkpoint.reference}: the publisher's doubtful SHA-256 {with_doubt} "
                f"is not the file's, {found.sha256}; recorded for later downloads"
            )
        with store_errors("write", self.partial.path):
            inode = self.partial.finish()
        path = self.store.publish(
            self.partial,
            found,
            format=checkpoint.format,
            inode=inode,
            name=checkpoint.reference,
            source=redact(candidate.url),
        )
        self.store.forget_damaged(found.sha256)
        if full_sha256(checkpoint) is None and self.store.recorded(checkpoint) is None:
            source = redact(candidate.url)
            if candidate.role == "mirror":
                # It stands for the first source: its path says so. But it is not the publisher.
                url = checkpoint.sources[0]
                self.store.write_mirrored(Ref(url, found.sha256, found.size, source))
            else:
                self.store.write_ref(Ref(candidate.url, found.sha256, found.size, source))
        return path

    def _set_aside(self, url: str, found: FileHash, looks: str) -> None:
        """Wrong bytes go into quarantine; the next source begins with an empty file."""
        with store_errors("quarantine", self.partial.path):
            self.partial.close()
            expected = expected_text(self.plan)
            self.store.quarantine(
                self.partial.path,
                f"{url_key(url + expected)[:32]}.bad",
                source=redact(url),
                expected=expected,
                got=found.sha256,
                looks=looks,
            )
            open_new(self.partial.path).close()
            self.partial.discard_note()
            self.partial.open()
        self.progress.advance(-found.size)

    def _tell(self) -> None:
        """Say which sources have failed, now that another one answers; else the error says it."""
        while self.told < len(self.failed):
            failed = self.failed[self.told]
            self.told += 1
            self.progress.message(f"{failed.url}: {failed.reason}; the next source is asked")
