"""What a name means: an entry, a checkpoint, a network, or why there is none to load."""

from __future__ import annotations

from pathlib import Path

from zoohub.errors import NetworkNotAvailable, UnknownModel, UsageError
from zoohub.manifest.entry import NetworkSpec
from zoohub.manifest.index import Resolved
from zoohub.manifest.opening import open_index
from zoohub.manifest.reference import is_path
from zoohub.models.describing import WEIGHT_FORMATS
from zoohub.models.provenance import class_names_of
from zoohub.models.runs import is_run, open_run
from zoohub.settings import Settings

# What the formats that hold no named parameters are made for.
_PURPOSES = {
    "air": "a graph for Ascend inference; convert it there with ATC",
    "om": "a compiled model for Ascend inference through ACL",
    "mslite": "a model for MindSpore Lite on phones and edge devices",
    "geir": "a graph in the form of MindSpore 0.x; no current version reads it",
    "tar.gz": "an archive; unpack it to see what is in it",
}


def meant(name: str, settings: Settings) -> tuple[Resolved, Path | None, tuple[str, ...] | None]:
    """What a name means: a reference, or a run's folder, whose weights are at hand.

    A folder without a path's look (`flowers`) is a run only if no reference is called so.
    """
    if not is_path(name):
        try:
            resolved = open_index(settings).resolve(name)
        except UnknownModel:
            if not is_run(name):
                raise
        else:
            checkpoint = resolved.checkpoint
            return resolved, None, class_names_of(checkpoint) if checkpoint else None
    elif not is_run(name):
        raise UnknownModel(
            f"{name} is no folder of a finished run; give a model's name, and a file of weights as "
            "checkpoint= (--checkpoint)"
        )
    run = open_run(name)
    return Resolved(run.entry, run.checkpoint, True), run.weights, run.classes


def network_of(resolved: Resolved) -> NetworkSpec:
    """The network definition a reference means.

    Raises:
        NetworkNotAvailable: zoohub has none for it. UsageError: it is a pipeline.
    """
    checkpoint = resolved.checkpoint
    spec = checkpoint.network if checkpoint is not None else None
    if spec is None and not (resolved.explicit and checkpoint is not None):
        spec = resolved.entry.network
    if spec is not None:
        return spec
    if resolved.entry.steps:
        steps = ", ".join(f"{step} ({name})" for step, name in resolved.entry.steps.items())
        raise UsageError(
            f"{resolved.entry.model} is a pipeline, not one network: name that of a step, {steps}"
        )
    if checkpoint is None:
        raise NetworkNotAvailable(
            f"zoohub has no network definition for {resolved.entry.model} yet, and no checkpoint "
            "of it is published; `zoohub list --runnable` shows what can be loaded"
        )
    name = checkpoint.reference
    if checkpoint.format not in WEIGHT_FORMATS:
        check_format(resolved)
    also = _runnable_reference(resolved)
    raise NetworkNotAvailable(
        f"zoohub has no network definition for {name} yet. It can be downloaded (`zoohub download "
        f"{name}`), read (zoohub.load_weights) and mirrored" + (f"; {also} runs." if also else ".")
    )


def check_format(resolved: Resolved) -> None:
    """That the checkpoint is a file of weights, which a network can take.

    Raises:
        UnknownModel: there is none. NetworkNotAvailable: it is something else.
    """
    checkpoint = resolved.checkpoint
    if checkpoint is None:
        raise UnknownModel(
            f"no checkpoint of {resolved.entry.model} is published: leave pretrained=True out for "
            "random weights, or give your own with checkpoint= (--checkpoint)"
        )
    if checkpoint.format not in WEIGHT_FORMATS:
        purpose = _PURPOSES.get(checkpoint.format, f"a file of format {checkpoint.format}")
        raise NetworkNotAvailable(
            f"{checkpoint.reference} is {purpose}: `zoohub download {checkpoint.reference}` "
            f"fetches it{instead(resolved)}"
        )


def _runnable_reference(resolved: Resolved) -> str | None:
    """Another checkpoint of the model that `load` can take."""
    for other in resolved.entry.checkpoints:
        if other.format in WEIGHT_FORMATS and other.network is not None:
            return other.reference
    return None


def instead(resolved: Resolved) -> str:
    """The end of an error: what can be loaded in the place of what was named, if anything."""
    also = _runnable_reference(resolved)
    return f"; to load the network, use {also}." if also else "."
