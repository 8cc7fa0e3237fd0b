"""Pipelines: entries whose steps are other entries' networks. What each step is, by its reference.

Whoever takes a model's file takes a pipeline's files by `files_of`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from zoohub.errors import AmbiguousReference, ManifestError, UnknownModel, UsageError
from zoohub.manifest.database import PIPELINE

if TYPE_CHECKING:
    from zoohub.manifest.entry import Entry
    from zoohub.manifest.index import Index, Resolved

N = TypeVar("N")


def step_references(entry: Entry, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """What each step of a pipeline is, in their order: as the index says, or as `given` does.

    Raises:
        UsageError: the entry is no pipeline, or has no step of that name.
    """
    return exchanged(entry.model, entry.steps, given or {})


def exchanged(name: str, steps: Mapping[str, N], given: Mapping[str, N]) -> dict[str, N]:
    """The steps of a pipeline, in their order, those that are `given` in the place of its own.

    Raises:
        UsageError: it is no pipeline, or has no step of that name.
    """
    if given and not steps:
        raise UsageError(f"{name} is no pipeline: it has no steps to be exchanged (--set)")
    for step in given:
        if step not in steps:
            raise UsageError(f"{name} has no step {step!r}; its steps are {', '.join(steps)}")
    return {**steps, **given}


def resolved_steps(index: Index, entry: Entry) -> dict[str, Resolved]:
    """What the steps of a pipeline mean, by their names in their order; of a model nothing.

    Raises:
        UnknownModel, AmbiguousReference: a step's reference. ManifestError: a step is a pipeline,
            or a lock does not hold it.
    """
    found = {step: _resolved(index, entry, step) for step in entry.steps}
    for step, resolved in found.items():
        if resolved.entry.steps:
            raise ManifestError(
                f"{entry.model}: its step {step} is a pipeline itself, {resolved.entry.model}"
            )
    return found


def _resolved(index: Index, entry: Entry, step: str) -> Resolved:
    try:
        return index.resolve(entry.steps[step])
    except (UnknownModel, AmbiguousReference) as error:
        raise type(error)(f"{entry.model}: its step {step}: {error}") from None


def pipelines_among(index: Index, pattern: str | None = None) -> Iterator[Entry]:
    """The pipelines whose names fit a pattern."""
    for summary in index.summaries(pattern):
        if summary.builder == PIPELINE:
            yield index.entry(summary.model)


def files_of(index: Index, resolved: Resolved) -> list[Resolved]:
    """What a reference's files are of: the model itself, or each step of the pipeline.

    Raises:
        As `resolved_steps`.
    """
    return [*resolved_steps(index, resolved.entry).values()] or [resolved]
