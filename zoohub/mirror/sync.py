"""Bringing a mirror up to date: only what is missing or wrong is fetched, several at a time.

Each file is fetched into a small store of its own in the mirror's work folder, on the mirror's
own disk, and moved from there into place: nothing is ever on the disk twice, an interrupted
download goes on where it stopped, and a file that the user's own store has is linked instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from zoohub.errors import MirrorError, ZoohubError
from zoohub.manifest.compiled import ModelRow
from zoohub.manifest.hashes import FileRecord, HashManifest
from zoohub.mirror.publish import Publisher, check_key, publishing
from zoohub.mirror.run import Run, agrees
from zoohub.mirror.selection import Selection, Skipped, Wanted, is_published
from zoohub.mirror.state import Journal, State, alone, read_state
from zoohub.mirror.target import Target
from zoohub.settings import Settings
from zoohub.store import TransferPolicy
from zoohub.store.layout import full_sha256
from zoohub.transfer.progress import Progress, Silent


@dataclass(frozen=True)
class SyncPlan:
    """What a sync has to do: `fetch` these, `check` those (they lie there unrecorded), leave
    `current` ones alone."""

    fetch: tuple[Wanted, ...]
    check: tuple[Wanted, ...]
    current: tuple[Wanted, ...]


@dataclass(frozen=True)
class SyncOptions:
    """How a sync works: `jobs` downloads at a time; `max_size`, in bytes, also leaves out files
    whose size only their server knows; a `dry_run` changes nothing."""

    jobs: int = 4
    max_size: int | None = None
    dry_run: bool = False


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


def sync(
    target: Target,
    selection: Selection,
    documents: Mapping[str, ModelRow],
    settings: Settings,
    publisher: Publisher,
    options: SyncOptions | None = None,
    *,
    progress: Progress | None = None,
    policy: TransferPolicy | None = None,
) -> SyncReport:
    """Bring the mirror up to date and publish it.

    `documents` are the compiled models of the selection, by name; models that the mirror held
    before stay in its index. What fails is told in the report, the rest goes on.

    Raises:
        MirrorError: the place is no mirror and not empty; the mirror cannot be read or written, or
            is signed and no key was given.
    """
    options = options or SyncOptions()
    work = target.work(settings.home)
    if options.dry_run:
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
        run.progress, run.max_size = progress or Silent(), options.max_size
        run.work_off(plan.check, plan.fetch, options.jobs)
        ours = {path: r for path, r in records.items() if state.files.get(path) != r}
        publish = partial(_publish, target, publisher, documents, ours)
        manifest = publishing(target, state, publish)
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


def _publish(
    target: Target,
    publisher: Publisher,
    documents: Mapping[str, ModelRow],
    ours: Mapping[str, FileRecord],
    state: State,
) -> HashManifest | None:
    """Publish what is there, and what this sync has brought."""
    records = {**state.files, **ours}
    # The mirror's own index is only read where it may hold more than what was asked for.
    if not publisher.is_due(target, state, documents, records):
        return None
    return publisher.publish(target, state, {**state.documents, **documents}, records)


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
