"""What the hits of a name come to: which checkpoint it means, and what a lock makes of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zoohub.errors import AmbiguousReference, ManifestError, UnknownModel
from zoohub.manifest.database import Hit
from zoohub.manifest.reference import Reference, listed

if TYPE_CHECKING:
    from zoohub.manifest.entry import Checkpoint, Entry


@dataclass(frozen=True)
class Resolved:
    """What a reference means. `explicit` says whether it named the checkpoint itself, by
    `@ID`, `#FORMAT`, a published name or a URL, rather than leaving it to the default."""

    entry: Entry
    checkpoint: Checkpoint | None
    explicit: bool


@dataclass(frozen=True)
class Locked:
    """What a lock file says of one reference."""

    url: str
    sha256: str
    size: int | None


@dataclass(frozen=True)
class LockedSteps:
    """What a lock file says of a pipeline: its steps, which are references of the same file."""

    steps: Mapping[str, str]


def preferred(reading: Reference, hits: Sequence[Hit]) -> Sequence[Hit]:
    """A model's own name stands before another's alias of the same text; of several files with
    one published name, the firm one before the others, unless another format is asked for."""
    own = [hit for hit in hits if hit.model == reading.name and hit.checkpoint is None]
    firm = [hit for hit in hits if hit.firm] if reading.format in (None, "ckpt") else []
    return own or firm or hits


def published(
    reference: str, reading: Reference, entry: Entry, named: list[Checkpoint]
) -> Checkpoint:
    """Which of the files published under one name: the format asked for, else the .ckpt; of
    several, the one the entry prefers, which is the model's default or the alias' owner."""
    if reading.id is not None:
        raise UnknownModel(f"{reference!r}: {reading.name!r} already names a checkpoint")
    wanted = reading.format
    found = [c for c in named if c.format == (wanted or "ckpt")]
    if not found and wanted is None:
        found = named
    if not found:
        formats = ", ".join(sorted({c.format for c in named}))
        raise UnknownModel(f"{reading.name!r} has no {wanted} file; it has {formats}")
    if len(found) > 1:
        default = [c for c in found if c.id == entry.default]
        found = default or found
    if len(found) > 1:
        raise AmbiguousReference(
            f"{reference!r} fits several checkpoints: "
            f"{listed(c.reference for c in found)}; name one of them"
        )
    return found[0]


def pinned(resolved: Resolved, locked: Locked | LockedSteps, lock_name: str) -> Resolved:
    """The resolved checkpoint with the lock's URL, hash and size in force; of a pipeline, the
    lock's steps.

    Raises:
        ManifestError: the index declares another full hash for what is locked, or one of the two
            has a pipeline there.
    """
    if isinstance(locked, LockedSteps) != bool(resolved.entry.steps):
        raise ManifestError(
            f"{resolved.entry.model} is a pipeline in one of {lock_name} and the index, and not in "
            "the other; write the lock anew"
        )
    if isinstance(locked, LockedSteps):
        return replace(resolved, entry=replace(resolved.entry, steps=locked.steps))
    checkpoint = resolved.checkpoint
    if checkpoint is None:
        return resolved
    if checkpoint.sha256 is not None and checkpoint.sha256 != locked.sha256:
        raise ManifestError(
            f"{checkpoint.reference}: {lock_name} has sha256 {locked.sha256}, the index has "
            f"{checkpoint.sha256}; the file was replaced. Write the lock anew if that is meant"
        )
    pinned: dict[str, Any] = {
        "sources": (locked.url, *(s for s in checkpoint.sources if s != locked.url)),
        "sha256": locked.sha256,
        "declared": "sha256",
        "doubtful_sha256": None,
    }
    if locked.size is not None:
        pinned["size"] = locked.size
    return replace(resolved, checkpoint=replace(checkpoint, **pinned))
