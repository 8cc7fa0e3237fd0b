"""What is in the store, what may go, and making it go."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoohub.core.atomic import is_leftover, leftovers
from zoohub.store.compiled import SOURCE, sweep_compiled
from zoohub.store.files import unlink
from zoohub.store.layout import is_sha256, record_path
from zoohub.store.owner import Owner, provably_dead, this_owner
from zoohub.store.records import Ref, read_ref, read_verification
from zoohub.store.store import Store

WEEK = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Item:
    """A published file.

    `size` in bytes, `names` the references it was fetched for, `source` the URL that gave it,
    `used` and `verified` when that was last done, in seconds since 1970 (None: not known).
    """

    sha256: str
    path: Path
    size: int
    names: tuple[str, ...]
    source: str | None
    used: float
    verified: float | None


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """Which published files and which remains of downloads go, and the bytes that frees."""

    remove: tuple[Item, ...]
    keep: tuple[Item, ...]
    remains: tuple[Path, ...]
    freed: int


def list_items(store: Store) -> list[Item]:
    """All published files, the least recently used first."""
    items = []
    for folder in _folders(store.layout.blobs):
        for path in _files(folder):
            if path.suffix == ".json" or not is_sha256(path.name[:64]):
                continue
            if is_leftover(path.name, own=True):
                continue
            with contextlib.suppress(OSError):
                items.append(_item(path))
    return sorted(items, key=lambda item: (item.used, item.path))


def is_form(item: Item) -> bool:
    """Whether it is a compiled form, which is made here and never fetched."""
    return item.source is not None and item.source.startswith(SOURCE)


def list_hashes(store: Store) -> list[str]:
    """The hashes of all published files, by their names alone."""
    return [
        path.name[:64]
        for folder in _folders(store.layout.blobs)
        for path in _files(folder)
        if path.suffix != ".json" and is_sha256(path.name[:64])
    ]


def list_refs(store: Store) -> list[Ref]:
    """What is recorded of URLs without a declared full hash."""
    found = [read_ref(path) for path in _files(store.layout.refs) if path.suffix == ".json"]
    return [ref for ref in found if ref is not None]


def _item(path: Path) -> Item:
    status = path.stat()
    record = read_verification(path)
    used = status.st_mtime
    with contextlib.suppress(OSError):
        used = record_path(path).stat().st_mtime
    return Item(
        sha256=path.name[:64],
        path=path,
        size=status.st_size,
        names=record.names if record else (),
        source=record.source if record else None,
        used=used,
        verified=record.verified if record else None,
    )


def plan_prune(
    items: Iterable[Item],
    *,
    now: float,
    older_than: float | None = None,
    max_size: int | None = None,
    remains: Iterable[tuple[Path, int]] = (),
) -> PrunePlan:
    """Decide what goes.

    That is all unused for `older_than` seconds, then the least recently used, until the rest has
    at most `max_size` bytes. None sets no limit.
    """
    ordered = sorted(items, key=lambda item: (item.used, item.path))
    remove: list[Item] = []
    keep: list[Item] = []
    left = sum(item.size for item in ordered)
    for item in ordered:
        old = older_than is not None and now - item.used > older_than
        if old or (max_size is not None and left > max_size):
            remove.append(item)
            left -= item.size
        else:
            keep.append(item)
    rest = tuple(remains)
    freed = sum(item.size for item in remove) + sum(size for _, size in rest)
    return PrunePlan(tuple(remove), tuple(keep), tuple(path for path, _ in rest), freed)


def list_remains(store: Store, *, now: float, older_than: float = WEEK) -> list[tuple[Path, int]]:
    """Files of downloads and quarantine that nobody will need: (path, bytes).

    All that have not changed for `older_than` seconds; after an hour also those of owners that are
    certainly dead, but for unfinished files, which the next download continues, and the temporary
    files of all that is written below the store's root.
    """
    found = []
    me = this_owner()
    for path in (*_files(store.layout.partial), *_files(store.layout.quarantine)):
        with contextlib.suppress(OSError):
            status = path.stat()
            owner = Owner.parse(path.name.partition(".")[2].partition(".")[0])
            dead = owner is not None and provably_dead(owner, me)
            useless = dead and path.suffix not in (".part", ".map") and now - status.st_mtime > 3600
            if now - status.st_mtime > older_than or useless:
                found.append((path, status.st_size))
    for folder in _folders_of(store):
        for path in leftovers(folder, now=now, own=True):
            with contextlib.suppress(OSError):
                found.append((path, path.lstat().st_size))
    return list(dict(found).items())


def _folders_of(store: Store) -> list[Path]:
    """Every folder in which the store and the index below the same root write."""
    root, index = store.root, store.root / "index"
    places = store.layout
    return [
        *(places.partial, places.quarantine, places.refs, places.compiled, root / "trust", index),
        *_folders(index / "remote"),
        *_folders(places.blobs),
    ]


def prune(store: Store, plan: PrunePlan) -> int:
    """Do what a plan says; returns the bytes freed. Safe beside downloads and other prunes."""
    me = this_owner()
    freed = remove_items(plan.remove)
    sweep_compiled(store)
    for path in plan.remains:
        freed += _remove_remains(path, me)
    # Empty folders stay: a download may be about to publish into one.
    return freed


def remove_items(items: Sequence[Item]) -> int:
    """Remove published files; returns the bytes freed. One that is gone already counts nothing."""
    freed = 0
    for item in items:
        present = item.path.exists()
        unlink(item.path)
        if present and not item.path.exists():
            freed += item.size
        if not item.path.exists():
            unlink(record_path(item.path))
    return freed


def _remove_remains(path: Path, me: Owner) -> int:
    """Remove one file of a download that nobody works on any more."""
    try:
        size = path.stat().st_size
    except OSError:
        return 0
    if path.suffix == ".part" and path.name.count(".") == 1:
        # Idle: take it first, so that no download is taking it at the same time.
        taken = path.with_name(f"{path.stem}.{me}.part")
        try:
            path.rename(taken)
        except OSError:
            return 0
        path = taken
    unlink(path)
    return 0 if path.exists() else size


def _folders(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_dir())
    return []


def _files(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return sorted(Path(entry.path) for entry in entries if entry.is_file())
    return []
