"""What is said of a model: whether it runs here, is in the store, and its JSON.

Here the index, the store and the families of networks are all in sight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoohub.errors import NetworkNotAvailable, ZoohubError
from zoohub.manifest.steps import resolved_steps
from zoohub.networks.families import find_family

if TYPE_CHECKING:
    from zoohub.manifest.entry import Checkpoint, Entry, NetworkSpec
    from zoohub.manifest.index import Index
    from zoohub.store import Store

# Formats whose parameters zoohub puts into a network definition of its own.
WEIGHT_FORMATS = frozenset({"ckpt", "safetensors", "pth"})


def misfit(spec: NetworkSpec) -> str | None:
    """Why the family's builder cannot make this network; None if it can."""
    try:
        family = find_family(spec.builder)
    except NetworkNotAvailable as error:
        return str(error)
    if spec.parameters is not None and spec.parameters not in family.layouts:
        known = ", ".join(sorted(family.layouts))
        return f"{spec.builder} has no parameter layout {spec.parameters!r} (it has {known})"
    for name, value in spec.arguments.items():
        problem = family.misfit(name, value)
        if problem:
            return problem
    return None


def is_runnable(checkpoint: Checkpoint) -> bool:
    """Whether zoohub has the network definition this checkpoint's parameters belong to."""
    spec = checkpoint.network
    return checkpoint.format in WEIGHT_FORMATS and spec is not None and misfit(spec) is None


def model_is_runnable(entry: Entry, index: Index) -> bool:
    """Whether zoohub has the model's network; of a pipeline, those of its steps in `index`."""
    if entry.steps:
        return all(step is not None and is_runnable(step) for step in _step_files(entry, index))
    return has_network(entry)


def _step_files(entry: Entry, index: Index) -> list[Checkpoint | None]:
    """The checkpoint of each step of a pipeline; None where a reference means none here."""
    try:
        return [step.checkpoint for step in resolved_steps(index, entry).values()]
    except ZoohubError:  # said when it is used; a list goes on
        return [None]


def has_network(entry: Entry) -> bool:
    """Whether some checkpoint of the model is runnable, or the bare network can be built."""
    if entry.network is not None and misfit(entry.network) is None:
        return True
    return any(is_runnable(checkpoint) for checkpoint in entry.checkpoints)


def model_json(entry: Entry, store: Store, index: Index) -> dict[str, object]:
    """The model as the command line's JSON has it."""
    cached = [store.has(checkpoint) for checkpoint in entry.checkpoints]
    steps = _step_files(entry, index) if entry.steps else []
    whole = bool(steps) and all(step is not None and store.has(step) for step in steps)
    return {
        "model": entry.model,
        "family": entry.family,
        "task": entry.task,
        "default": entry.default,
        "runnable": model_is_runnable(entry, index),
        "cached": any(cached) or whole,
        "steps": dict(entry.steps),
        "parameter_count": entry.parameter_count,
        "aliases": list(entry.aliases),
        "checkpoints": [
            checkpoint_json(checkpoint, store, is_cached)
            for checkpoint, is_cached in zip(entry.checkpoints, cached, strict=True)
        ],
    }


def checkpoint_json(checkpoint: Checkpoint, store: Store, cached: bool) -> dict[str, object]:
    """The checkpoint as the command line's JSON has it."""
    from zoohub.models.provenance import recorded_hash

    return {
        "id": checkpoint.id,
        "aliases": list(checkpoint.aliases),
        "sources": list(checkpoint.sources),
        "sha256": checkpoint.sha256,
        "sha256_prefix": checkpoint.sha256_prefix,
        "size": checkpoint.size,
        "format": checkpoint.format,
        "dataset": checkpoint.dataset,
        "metrics": dict(checkpoint.metrics),
        "licence": checkpoint.licence,
        "declared": checkpoint.declared,
        "recorded": recorded_hash(store, checkpoint),
        "mindspore": checkpoint.mindspore,
        "hardware": checkpoint.hardware,
        "runnable": is_runnable(checkpoint),
        "cached": cached,
    }
