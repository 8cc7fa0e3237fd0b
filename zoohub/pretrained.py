"""From a resolved reference to a network that knows where it comes from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoohub.api import fetch_resolved, is_path
from zoohub.describe import WEIGHT_FORMATS
from zoohub.errors import CheckpointCorrupt, NetworkNotAvailable, UnknownModel, UsageError
from zoohub.framework import NEWEST_MINDSPORE, check_mindspore, version_tuple
from zoohub.manifest.entry import Checkpoint, NetworkSpec
from zoohub.manifest.index import Resolved
from zoohub.manifest.opening import open_index
from zoohub.provenance import Provenance, class_names_of
from zoohub.settings import Settings
from zoohub.training.saved import is_run, open_run

if TYPE_CHECKING:
    from mindspore import nn

# What the formats that hold no named parameters are made for.
_PURPOSES = {
    "air": "a graph for Ascend inference; convert it there with ATC",
    "om": "a compiled model for Ascend inference through ACL",
    "mslite": "a model for MindSpore Lite on phones and edge devices",
    "geir": "a graph in the form of MindSpore 0.x; no current version reads it",
    "tar.gz": "an archive; unpack it to see what is in it",
}


def load_network(
    name: str,
    settings: Settings,
    *,
    pretrained: bool = False,
    own_weights: Path | None = None,
    layout: str | None = None,
    verify: bool = False,
    show_progress: bool = True,
    num_classes: int | None = None,
    **arguments: Any,
) -> nn.Cell:
    """Resolve, fetch, build, load; see `zoohub.load` for the arguments."""
    resolved, path, classes = _meant(name, settings)
    checkpoint = resolved.checkpoint
    own_run = path is not None
    with_weights = pretrained or own_run or own_weights is not None
    if pretrained and checkpoint is not None:
        check_mindspore(needed_mindspore(checkpoint), checkpoint.reference)
    else:
        check_mindspore()
    if pretrained and checkpoint is not None and checkpoint.format == "mindir":
        given = dict(arguments, num_classes=num_classes, parameters=layout)
        # `strict` is about parameters that fit or do not: a graph has none to fit.
        given = {key: value for key, value in given.items() if value and key != "strict"}
        if given:
            raise UsageError(
                f"{checkpoint.reference} is a finished graph, which {', '.join(sorted(given))} "
                "cannot change" + _instead(resolved)
            )
        return _graph_cell(resolved, settings, verify=verify, show_progress=show_progress)
    spec = network_of(resolved)
    if own_weights is not None:
        # The file's own names decide, unless the caller does: it need not be the publisher's.
        spec, path = replace(spec, parameters=layout), own_weights
    elif pretrained and not own_run:
        _check_format(resolved)
        path = fetch_resolved(resolved, settings, verify=verify, show_progress=show_progress)
    use_device(settings)
    from zoohub.networks.loading import create_network

    net, report = create_network(
        spec, path, num_classes=num_classes, layout=layout if with_weights else None, **arguments
    )
    own_head = num_classes is not None and num_classes != spec.arguments.get("num_classes")
    net.zoohub = Provenance(
        entry=resolved.entry,
        checkpoint=checkpoint if with_weights and own_weights is None else None,
        input=(checkpoint.input if checkpoint else None) or resolved.entry.input,
        classes=None if own_head else classes,
        path=path,
        report=report,
    )
    return net


def needed_mindspore(checkpoint: Checkpoint) -> str | None:
    """The oldest MindSpore that can take this file; None: any that zoohub supports.

    Weights trained with a newer MindSpore are read by an older one all the same, so far. A graph
    (MINDIR) is not, nor is anything from a version that this zoohub does not know.
    """
    version = checkpoint.mindspore
    if version is None or checkpoint.format == "mindir":
        return version
    return version if version_tuple(version) > version_tuple(NEWEST_MINDSPORE + ".99") else None


def _meant(name: str, settings: Settings) -> tuple[Resolved, Path | None, tuple[str, ...] | None]:
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
            "checkpoint="
        )
    run = open_run(name)
    return Resolved(run.entry, run.checkpoint, True), run.weights, run.classes


def network_of(resolved: Resolved) -> NetworkSpec:
    """The network definition a reference means.

    Raises:
        NetworkNotAvailable: zoohub has none for it.
    """
    checkpoint = resolved.checkpoint
    spec = checkpoint.network if checkpoint is not None else None
    if spec is None and not (resolved.explicit and checkpoint is not None):
        spec = resolved.entry.network
    if spec is not None:
        return spec
    name = checkpoint.reference if checkpoint is not None else resolved.entry.model
    if checkpoint is not None and checkpoint.format not in WEIGHT_FORMATS:
        _check_format(resolved)
    also = _runnable_reference(resolved)
    raise NetworkNotAvailable(
        f"zoohub has no network definition for {name} yet. It can be downloaded (`zoohub download "
        f"{name}`), read (zoohub.load_weights) and mirrored" + (f"; {also} runs." if also else ".")
    )


def use_device(settings: Settings) -> None:
    """Choose MindSpore's device, where a setting names one."""
    if settings.device is None:
        return
    import mindspore as ms

    kind, _, number = settings.device.partition(":")
    try:
        ms.set_device("Ascend" if kind == "ascend" else "CPU", int(number) if number else None)
    except (RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise UsageError(
            f"device {settings.device!r} cannot be used: {first}; `--device cpu` always can"
        ) from error


def _check_format(resolved: Resolved) -> None:
    checkpoint = resolved.checkpoint
    if checkpoint is None:
        raise UnknownModel(
            f"no checkpoint of {resolved.entry.model} is published: leave pretrained=True out for "
            "random weights, or give your own with checkpoint="
        )
    if checkpoint.format not in WEIGHT_FORMATS:
        purpose = _PURPOSES.get(checkpoint.format, f"a file of format {checkpoint.format}")
        raise NetworkNotAvailable(
            f"{checkpoint.reference} is {purpose}: `zoohub download {checkpoint.reference}` "
            f"fetches it{_instead(resolved)}"
        )


def _runnable_reference(resolved: Resolved) -> str | None:
    """Another checkpoint of the model that `load` can take."""
    for other in resolved.entry.checkpoints:
        if other.format in WEIGHT_FORMATS and other.network is not None:
            return other.reference
    return None


def _instead(resolved: Resolved) -> str:
    also = _runnable_reference(resolved)
    return f"; to load the network, use {also}." if also else "."


def _graph_cell(
    resolved: Resolved, settings: Settings, *, verify: bool, show_progress: bool
) -> nn.Cell:
    """A MINDIR as a cell: for prediction only, its parameters are constants of the graph."""
    path = fetch_resolved(resolved, settings, verify=verify, show_progress=show_progress)
    use_device(settings)
    import mindspore as ms
    from mindspore import nn

    checkpoint: Checkpoint | None = resolved.checkpoint
    assert checkpoint is not None
    try:
        net = nn.GraphCell(ms.load(str(path)))
    except (RuntimeError, ValueError) as error:
        first = str(error).strip().partition("\n")[0]
        raise CheckpointCorrupt(
            f"{checkpoint.reference}: MindSpore {ms.__version__} cannot read this graph "
            f"({path}): {first}"
        ) from error
    net.set_train(False)
    net.zoohub = Provenance(
        entry=resolved.entry,
        checkpoint=checkpoint,
        input=checkpoint.input or resolved.entry.input,
        classes=class_names_of(checkpoint),
        path=path,
        report=None,
    )
    return net
