"""Which checkpoints go into a mirror, and under which path: decisions without input or output."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from zoohub.manifest.entry import Checkpoint, Entry
from zoohub.store.layout import full_sha256
from zoohub.transfer.plan import is_safe_name, mirror_path

INDEX = "index.jsonl.gz"
MANIFEST = "manifest.json"
CATALOGUE = "index.html"
LICENCES = "LICENCES.txt"
SIGNATURE = ".sig"
WORK = ".zoohub"
PAGES = "m"

# What a mirror publishes beside the files and the models' pages. No host may be called so.
PUBLISHED = (INDEX, INDEX + SIGNATURE, MANIFEST, MANIFEST + SIGNATURE, CATALOGUE, LICENCES)

_PLAIN = re.compile(r"[a-z0-9][a-z0-9._+-]{0,150}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checkpoint that belongs into the mirror at `path` (below it, with `/`)."""

    path: str
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Skipped:
    """A checkpoint that was asked for and cannot or need not be mirrored, and why."""

    reference: str
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What to mirror. `models` names every model that was asked for, sorted."""

    wanted: tuple[Wanted, ...]
    skipped: tuple[Skipped, ...]
    models: tuple[str, ...]


def select(
    entries: Iterable[Entry],
    *,
    format: str | None = None,
    task: str | None = None,
    max_size: int | None = None,
) -> Selection:
    """All checkpoints of the entries that fit the filters, each with its path in the mirror.

    `max_size` (bytes) leaves out larger files, as far as the index knows their size. Two
    checkpoints with the same first source share one file. A path is refused where some file
    system would take it for another one's.
    """
    wanted: list[Wanted] = []
    skipped: list[Skipped] = []
    models: list[str] = []
    places = _Places()
    taken: dict[str, Checkpoint] = {}
    for entry in entries:
        models.append(entry.model)
        for checkpoint in entry.checkpoints:
            if format is not None and checkpoint.format != format:
                continue
            if task is not None and task not in (entry.task, checkpoint.task):
                continue
            if max_size is not None and (checkpoint.size or 0) > max_size:
                skipped.append(Skipped(checkpoint.reference, "larger than --max-size"))
                continue
            path = path_of(checkpoint)
            reason = "it has no address that a mirror can keep" if path is None else None
            if path is not None:
                reason = places.refusal(path)
            if path is None or reason:
                skipped.append(Skipped(checkpoint.reference, reason or ""))
            elif path not in taken:
                places.take(path)
                taken[path] = checkpoint
                wanted.append(Wanted(path, checkpoint))
            elif full_sha256(taken[path]) != full_sha256(checkpoint):
                other = taken[path].reference
                skipped.append(Skipped(checkpoint.reference, f"{other} has its address too"))
    return Selection(tuple(wanted), tuple(skipped), tuple(sorted(models)))


def path_of(checkpoint: Checkpoint) -> str | None:
    """Where a mirror keeps the checkpoint's file; None where no mirror does."""
    found = mirror_path(checkpoint.sources[0]) if checkpoint.sources else None
    if found is None or len(str(found).encode()) > 1000:
        return None
    return str(found)


def page_path(model: str) -> str:
    """Where a model's page lies in a mirror.

    A name that is not one and the same file's on every system, because of its letters' case, say,
    gives its readable part, `@` (which stands in no model's name) and the beginning of its hash.

    >>> page_path("resnet50"), page_path("ResNet50")
    ('m/resnet50.html', 'm/resnet50@17602d153ac6.html')
    """
    name = model
    if not _PLAIN.fullmatch(model) or not is_safe_name(f"{model}.html"):
        readable = re.sub(r"[^a-z0-9_+-]+", "-", model.lower())[:80].strip("-")
        digest = hashlib.sha256(model.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{readable}@{digest[:12]}"
    return f"{PAGES}/{name}.html"


def is_published(path: str) -> bool:
    """Whether a path is one of the mirror's own, not a checkpoint's file."""
    return path in PUBLISHED or path.startswith(f"{PAGES}/")


def fits(model: str, patterns: Iterable[str]) -> bool:
    """Whether a model's name fits one of the shell-style patterns; without patterns, it does."""
    patterns = tuple(patterns)
    return not patterns or any(fnmatchcase(model, pattern) for pattern in patterns)


class _Places:
    """The paths given out, so that none takes another's place on any file system."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def refusal(self, path: str) -> str | None:
        """Why a path cannot be given out, or None."""
        host = path.partition("/")[0]
        if host.startswith(".") or host in (*PUBLISHED, PAGES) or "/" not in path:
            return f"its path {path!r} would be one of the mirror's own"
        folded = path.casefold()
        other = self._files.get(folded)
        if other is not None and other != path:
            return f"its path differs from {other!r} in case only"
        if folded in self._folders:
            return f"its path {path!r} is a folder of other files"
        for folder in _folders(path):
            if folder.casefold() in self._files:
                return f"its folder {folder!r} is a file"
            known = self._folders.get(folder.casefold())
            if known is not None and known != folder:
                return f"its folder differs from {known!r} in case only"
        return None

    def take(self, path: str) -> None:
        """Give a path out."""
        self._files[path.casefold()] = path
        for folder in _folders(path):
            self._folders.setdefault(folder.casefold(), folder)


def _folders(path: str) -> list[str]:
    names = path.split("/")
    return ["/".join(names[:count]) for count in range(1, len(names))]
