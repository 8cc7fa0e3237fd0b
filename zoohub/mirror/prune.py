"""Removing what does not belong into a mirror: strangers, leftovers, models no longer wanted."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.atomic import remove_leftovers
from zoohub.errors import UsageError
from zoohub.manifest.hashes import HashManifest
from zoohub.mirror.publish import Publisher, check_key, publishing
from zoohub.mirror.selection import PUBLISHED, fits
from zoohub.mirror.state import Journal, State, alone, by_path, entries_of
from zoohub.mirror.target import Target
from zoohub.mirror.verify import read_manifest
from zoohub.settings import Settings


@dataclass(frozen=True)
class PruneReport:
    """What goes, or went: `extra` files are not in the manifest, `stale` ones belong to no
    checkpoint of the mirror's index; `models` leave the index. `size` is in bytes."""

    extra: tuple[str, ...]
    stale: tuple[str, ...]
    models: tuple[str, ...]
    size: int

    @property
    def paths(self) -> tuple[str, ...]:
        """All files to remove."""
        return (*self.extra, *self.stale)


def plan_prune(state: State, sizes: dict[str, int], keep: Sequence[str], name: str) -> PruneReport:
    """Decide what goes. With `keep`, models that fit none of its patterns go too.

    Raises:
        UsageError: no model of the mirror fits, so that everything would go.
    """
    kept = {model: doc for model, doc in state.documents.items() if fits(model, keep)}
    if state.documents and not kept:
        raise UsageError(f"no model of the mirror {name} fits {', '.join(keep)}; nothing removed")
    belonging = by_path(entries_of(kept, name))
    stale = tuple(sorted(path for path in state.files if path not in belonging))
    known = {*state.manifest.files, *PUBLISHED}
    extra = tuple(sorted(path for path in sizes if path not in known))
    size = sum(sizes.get(path, 0) for path in (*extra, *stale))
    return PruneReport(extra, stale, tuple(sorted(state.documents.keys() - kept)), size)


def prune(
    target: Target,
    settings: Settings,
    publisher: Publisher,
    *,
    keep: Sequence[str] = (),
    dry_run: bool = False,
    agree: Callable[[PruneReport], bool] = lambda _: True,
) -> PruneReport | None:
    """Remove what does not belong, if `agree` says yes to it; None where it says no.

    The mirror is published without the files before they are removed, so that it never promises
    one that is gone. Unfinished downloads go too.

    Raises:
        MirrorError: no mirror is there, it cannot be written, or it is signed and no key given.
    """
    work = target.work(settings.home)
    if dry_run:
        return plan_prune(read_manifest(target), target.sizes(), keep, target.name)
    with alone(work, target.name):
        state = read_manifest(target)
        report = plan_prune(state, target.sizes(), keep, target.name)
        remove_leftovers(work, own=True)
        if not report.paths and not report.models:
            _clear(work / "fetch")
            return report
        check_key(state, publisher.key, target.name)
        if not agree(report):
            return None

        def publish(state: State) -> HashManifest | None:
            files = {path: r for path, r in state.files.items() if path not in report.stale}
            documents = {m: doc for m, doc in state.documents.items() if m not in report.models}
            return publisher.publish(target, state, documents, files)

        publishing(target, state, publish)
        published = read_manifest(target).manifest.files
        for path in report.paths:
            if path not in published:
                target.remove(path)
        Journal(work).clear()
        _clear(work / "fetch")
    return report


def _clear(folder: Path) -> None:
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
