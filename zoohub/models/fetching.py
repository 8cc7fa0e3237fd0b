"""From a resolved reference to the verified file of its checkpoint."""

from __future__ import annotations

from pathlib import Path

from zoohub.errors import OfflineError, UnknownModel, UsageError, ZoohubError
from zoohub.manifest.entry import Checkpoint, Entry
from zoohub.manifest.index import Index, Resolved
from zoohub.manifest.opening import open_index
from zoohub.manifest.steps import files_of
from zoohub.settings import Settings


def checkpoint_of(resolved: Resolved) -> Checkpoint:
    """The checkpoint a reference means.

    Raises:
        UnknownModel: the model has no published file.
    """
    if resolved.checkpoint is None:
        raise UnknownModel(
            f"{resolved.entry.model} has no published checkpoint; give your own with checkpoint= "
            "(--checkpoint)"
        )
    return resolved.checkpoint


def fetch_resolved(
    resolved: Resolved,
    settings: Settings,
    *,
    verify: bool = False,
    show_progress: bool = True,
) -> Path:
    """Fetch what a reference means; an `OfflineError` names what would work without a network."""
    from zoohub.store import Store
    from zoohub.transfer import Bar, Silent, fetch

    checkpoint = checkpoint_of(resolved)
    if verify:
        Store(settings.home).find(checkpoint, verify=True)  # a damaged file is set aside
    try:
        return fetch(checkpoint, settings, progress=Bar() if show_progress else Silent())
    except OfflineError as error:
        raise with_offline_hint(error, resolved.entry, open_index(settings)) from error


def fetch_named(
    name: str, settings: Settings, *, verify: bool = False, show_progress: bool = True
) -> Path | list[Path]:
    """Fetch what a name means: the file of a model, the files of a pipeline's steps."""
    index = open_index(settings)
    resolved = index.resolve(name)
    paths = [
        fetch_resolved(file, settings, verify=verify, show_progress=show_progress)
        for file in files_of(index, resolved)
    ]
    return paths if resolved.entry.steps else paths[0]


def fetch_one(
    name: str, settings: Settings, *, verify: bool = False, show_progress: bool = True
) -> Path:
    """Fetch the one file that a name means.

    Raises:
        UsageError: it is a pipeline, which has several. As `zoohub.download`.
    """
    entry = open_index(settings).entry(name)
    if entry.steps:
        steps = ", ".join(entry.steps.values())
        raise UsageError(f"{name} is a pipeline: give the name of one of its networks, {steps}")
    found = fetch_named(name, settings, verify=verify, show_progress=show_progress)
    assert isinstance(found, Path)
    return found


def with_offline_hint(error: ZoohubError | None, entry: Entry, index: Index) -> ZoohubError:
    """The error itself; an `OfflineError` also names what ships with zoohub in the same family."""
    if error is None:
        raise ValueError("there is no error to describe")
    if not isinstance(error, OfflineError):
        return error
    embedded = [
        checkpoint.reference
        for other in index.list()
        if other.family == entry.family
        for checkpoint in other.checkpoints
        if any(source.startswith("embedded:") for source in checkpoint.sources)
    ]
    if not embedded:
        return error
    works = "ships with zoohub and works" if len(embedded) == 1 else "ship with zoohub and work"
    return OfflineError(f"{error}\n{' and '.join(embedded)} {works} offline.")
