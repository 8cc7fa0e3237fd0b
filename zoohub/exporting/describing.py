"""The metadata of an exported network, from what it knows of itself."""

from __future__ import annotations

from typing import Any

from zoohub.core.hashing import hash_file
from zoohub.errors import DataError
from zoohub.graphs.metadata import Metadata
from zoohub.models.provenance import Provenance
from zoohub.tasks.finding import task_for


def describe(provenance: Provenance | None, **also: Any) -> Metadata:
    """The metadata of a network; `also` are further fields (`outputs`, `parameters`, …).

    The hash is the index's, else that of the file the weights were read from.
    """
    if provenance is None:
        return Metadata(**also)
    checkpoint, path = provenance.checkpoint, provenance.path
    sha256 = checkpoint.sha256 if checkpoint is not None else None
    if sha256 is None and path is not None and path.is_file():
        sha256 = hash_file(path).sha256
    facts: dict[str, Any] = {
        "model": provenance.entry.model,
        "task": _task(provenance),
        "family": provenance.network.builder if provenance.network else None,
        "sha256": sha256,
        "input": provenance.input,
        "classes": provenance.classes,
    }
    if checkpoint is not None:
        facts |= {
            "checkpoint": checkpoint.reference,
            "licence": checkpoint.licence,
            "dataset": checkpoint.dataset,
            "dataset_terms": checkpoint.dataset_terms,
        }
    return Metadata(**{**facts, **also})


def _task(provenance: Provenance) -> str:
    """The index's name, or that of the task which claims the network: the file does not say what
    it ends in."""
    name = provenance.entry.task
    try:
        task = task_for(name, provenance.network)
    except DataError:
        return name  # a network can be exported whose task is not there
    return name if name in task.serves else task.name
