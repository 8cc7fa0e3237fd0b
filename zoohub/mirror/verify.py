"""Comparing a mirror's files with its manifest, byte for byte, and mending what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from zoohub.errors import ManifestError, MirrorError, ZoohubError
from zoohub.manifest.hashes import FileRecord
from zoohub.manifest.signing import verify_signed
from zoohub.mirror.publish import Publisher, check_key, publishing
from zoohub.mirror.run import Run
from zoohub.mirror.selection import INDEX, MANIFEST, PUBLISHED, SIGNATURE, Wanted, is_published
from zoohub.mirror.state import (
    Journal,
    State,
    alone,
    by_path,
    entries_of,
    hash_stream,
    read_state,
)
from zoohub.mirror.target import Target
from zoohub.settings import Settings
from zoohub.store import TransferPolicy
from zoohub.transfer.progress import Progress, Silent


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what the manifest says."""

    path: str
    expected: FileRecord
    got: FileRecord


@dataclass(frozen=True)
class VerifyReport:
    """`good` files are as recorded; the others by their paths, sorted. `signature` is what is
    wrong with the signatures, None if they hold or none is asked for. `repaired` and `failures`
    are filled by a repair."""

    good: int
    missing: tuple[str, ...] = ()
    damaged: tuple[Damage, ...] = ()
    extra: tuple[str, ...] = ()
    signature: str | None = None
    repaired: tuple[str, ...] = ()
    failures: tuple[tuple[str, ZoohubError], ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether every file that should be there is there, and right (extra ones do no harm)."""
        broken = {*self.missing, *(damage.path for damage in self.damaged)} - {*self.repaired}
        return not broken and self.signature is None


def compare(expected: Mapping[str, FileRecord], found: Mapping[str, FileRecord]) -> VerifyReport:
    """The pure comparison of what should be there with what is."""
    damaged = tuple(
        Damage(path, record, found[path])
        for path, record in sorted(expected.items())
        if path in found and found[path] != record
    )
    missing = tuple(sorted(expected.keys() - found.keys()))
    known = {*expected, *PUBLISHED}
    extra = tuple(sorted(path for path in found if path not in known))
    return VerifyReport(len(expected) - len(missing) - len(damaged), missing, damaged, extra)


def verify(
    target: Target,
    settings: Settings,
    *,
    jobs: int = 4,
    progress: Progress | None = None,
) -> VerifyReport:
    """Hash every file of the mirror and compare. A file of another size is not read.

    Raises:
        MirrorError: there is no mirror, or it cannot be read.
    """
    state = read_manifest(target)
    return _verify(target, state, settings, jobs, progress or Silent())


def repair(
    target: Target,
    settings: Settings,
    publisher: Publisher,
    *,
    jobs: int = 4,
    progress: Progress | None = None,
    policy: TransferPolicy | None = None,
) -> VerifyReport:
    """As `verify`, then fetch again what is missing or damaged. Nothing is removed.

    Raises:
        MirrorError: as `verify`; or pages are damaged, the mirror is signed, and there is no key.
    """
    progress = progress or Silent()
    work = target.work(settings.home)
    with alone(work, target.name):
        state = read_manifest(target)
        report = _verify(target, state, settings, jobs, progress)
        broken = [*report.missing, *(damage.path for damage in report.damaged)]
        checkpoints = by_path(entries_of(state.documents, target.name))
        wanted = [Wanted(path, checkpoints[path]) for path in broken if path in checkpoints]
        unknown = [p for p in broken if p not in checkpoints and not is_published(p)]
        journal = Journal(work)
        run = Run(target, settings, work, journal, state.files, policy or TransferPolicy())
        run.progress, run.repairing = progress, True
        run.work_off((), tuple(wanted), jobs)
        failed = {reference for reference, _ in run.failures}
        repaired = [w.path for w in wanted if w.checkpoint.reference not in failed]
        own = [path for path in broken if is_published(path)]
        if own:
            check_key(state, publisher.key, target.name)
            for path in own:
                target.remove(path)
            publishing(
                target,
                read_manifest(target),
                lambda s: publisher.publish(target, s, s.documents, s.files, due=True),
            )
        journal.clear()
    no_source = MirrorError("the mirror's index no longer names it; `zoohub mirror prune` drops it")
    failures = (*run.failures, *((path, no_source) for path in unknown))
    return replace(report, repaired=(*repaired, *own), failures=failures)


def read_manifest(target: Target) -> State:
    """The state of a mirror that has to be there. Raises MirrorError."""
    if target.read(MANIFEST) is None:
        raise MirrorError(
            f"{target.name} is no mirror: it has no {MANIFEST}; make one with `zoohub mirror sync`"
        )
    return read_state(target)


def _verify(
    target: Target, state: State, settings: Settings, jobs: int, progress: Progress
) -> VerifyReport:
    expected = dict(state.manifest.files)
    sizes = target.sizes()
    progress.start(target.name, sum(sizes.get(path, 0) for path in expected), 0)

    def look(path: str) -> tuple[str, FileRecord]:
        if sizes[path] != expected[path].size:
            return path, FileRecord("(not read: its size is wrong)", sizes[path])
        with target.open(path) as stream:
            record = hash_stream(stream)
        progress.advance(record.size)
        return path, record

    try:
        with ThreadPoolExecutor(max(1, jobs), "verify") as threads:
            found = dict(threads.map(look, [path for path in sorted(expected) if path in sizes]))
    finally:
        progress.finish()
    extra = {path: FileRecord("", size) for path, size in sizes.items() if path not in found}
    report = compare(expected, {**extra, **found})
    return replace(report, signature=check_signatures(target, state, settings))


def check_signatures(target: Target, state: State, settings: Settings) -> str | None:
    """What is wrong with the mirror's signatures for a client with the trusted keys of these
    settings; None where all is well, or no key is trusted."""
    if not settings.trusted_keys:
        return None
    for name, purpose in ((MANIFEST, "manifest"), (INDEX, "index")):
        data = target.read(name)
        if data is None:
            return f"{target.name}/{name} is missing"
        try:
            signed = verify_signed(
                data,
                target.read(name + SIGNATURE),
                settings.trusted_keys,
                purpose=purpose,  # type: ignore[arg-type]
                what=f"{target.name}/{name}",
            )
        except ManifestError as error:
            return str(error)
        if signed.serial != state.manifest.serial:
            return f"{target.name}/{name}: signed for serial {signed.serial}, it has another"
    return None
