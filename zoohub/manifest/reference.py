"""References: `NAME[@ID][#FORMAT]`, and which checkpoint of a model one means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.errors import AmbiguousReference, UnknownModel
from zoohub.manifest.database import normalise

if TYPE_CHECKING:
    from zoohub.manifest.entry import Checkpoint, Entry

MAX_REFERENCE = 2_000


@dataclass(frozen=True)
class Reference:
    """A reference taken apart. `name` may itself hold `@` where a published name does."""

    name: str
    id: str | None = None
    format: str | None = None


def readings(text: str) -> list[Reference]:
    """Every way to read a reference, the most literal first.

    Published names hold `@` themselves (`mindcv/resnet50@f369a08d`), so a text is first taken
    as one name, and only then at its last `#` and `@`.
    """
    found = [Reference(text)]
    rest, hash_, format = text.rpartition("#")
    if hash_ and rest and format:
        found.append(Reference(rest, format=format))
    else:
        rest, format = text, ""
    name, at, id = rest.rpartition("@")
    if at and name and id:
        found.append(Reference(name, id, format or None))
    return found


def choose_checkpoint(entry: Entry, id: str | None, format: str | None) -> Checkpoint | None:
    """The checkpoint of a model that `@id` and `#format` mean; None if it has none at all.

    Raises:
        UnknownModel: the model has no such checkpoint; names those it has.
        AmbiguousReference: several fit.
    """
    if id is None:
        default = entry.checkpoint()
        if default is None and len(entry.checkpoints) > 1 and format is None:
            raise AmbiguousReference(
                f"{entry.model} was published by several projects with different content and "
                f"none is the default: {listed(c.reference for c in entry.checkpoints)}; "
                "name one of them"
            )
        if format is None or (default and default.format == format):
            return default
        return _only(entry, _alike(entry, default, format), f"#{format}")
    found = _by_id(entry, id)
    if format is not None:
        fitting = [c for c in found if c.format == format]
        found = fitting or _by_id(entry, f"{id}-{format}")
        found = [c for c in found if c.format == format]
    return _only(entry, found, f"@{id}" + (f"#{format}" if format else ""))


def _by_id(entry: Entry, id: str) -> list[Checkpoint]:
    """By id, by alias id, loosely, then as a release on the model's usual dataset."""
    for key in (str, normalise):
        wanted = key(id)
        found = [c for c in entry.checkpoints if wanted in map(key, (c.id, *c.aliases))]
        if found:
            return found
    release = id if id[:1] == "r" else f"r{id}"
    default = entry.checkpoint()
    usual = default.dataset if default else None
    on_release = {
        name: checkpoint
        for checkpoint in entry.checkpoints
        for name in (checkpoint.id, *checkpoint.aliases)
        if name == release or name.startswith(f"{release}-")
    }
    for name in (release, f"{release}-{usual}"):
        if name in on_release:
            return [on_release[name]]
    usual_only = {c.id: c for c in on_release.values() if c.dataset == usual}
    return list((usual_only or {c.id: c for c in on_release.values()}).values())


def _alike(entry: Entry, default: Checkpoint | None, format: str) -> list[Checkpoint]:
    """The checkpoints of that format, narrowed to those published like the default one."""
    found = [c for c in entry.checkpoints if c.format == format]
    for same in ("publisher", "hardware", "dataset"):
        wanted = _trait(default, same)
        narrowed = [c for c in found if _trait(c, same) == wanted]
        if default and narrowed:
            found = narrowed
    return found


def _trait(checkpoint: Checkpoint | None, name: str) -> str | None:
    if checkpoint is None:
        return None
    if name == "publisher":
        return checkpoint.records[0].publisher if checkpoint.records else None
    return str(getattr(checkpoint, name))


def _only(entry: Entry, found: Sequence[Checkpoint], suffix: str) -> Checkpoint:
    if len(found) == 1:
        return found[0]
    if found:
        raise AmbiguousReference(
            f"{entry.model}{suffix} fits several checkpoints: "
            f"{listed(c.reference for c in found)}; name one of them"
        )
    if entry.steps:
        raise UnknownModel(
            f"{entry.model} is a pipeline, which has no checkpoints: there is no {suffix}; "
            f"`zoohub list '{entry.family}*'` shows all of its kind"
        )
    raise UnknownModel(
        f"{entry.model} has no checkpoint {suffix}; it has "
        f"{listed(f'@{c.id} ({c.format})' for c in entry.checkpoints) or 'none'}"
    )


def listed(items: Iterable[str], limit: int = 12) -> str:
    """The first items joined by commas, and how many more there are."""
    texts = list(items)
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more


def closest(name: str, candidates: Iterable[str], limit: int = 5) -> list[str]:
    """The candidates most like a misspelt name, best first."""
    import difflib  # costs 10 ms that only a misspelt name should pay

    wanted = normalise(name)
    by_key = {normalise(candidate): candidate for candidate in candidates}
    matches = difflib.get_close_matches(wanted, by_key, n=limit, cutoff=0.5)
    return [by_key[key] for key in matches]


def is_path(name: str | Path) -> bool:
    """Whether a name is a path: it begins with `.`, `/`, `~` or a drive letter."""
    if isinstance(name, Path):
        return True
    drive = len(name) > 2 and name[0].isalpha() and name[1] == ":" and name[2] in "\\/"
    return name.startswith((".", "/", "~")) or drive
