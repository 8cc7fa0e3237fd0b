"""From a resolved reference to a network that knows where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.errors import CheckpointCorrupt, UsageError
from zoohub.framework import NEWEST_MINDSPORE, check_mindspore, version_tuple, warn_of_numpy
from zoohub.manifest.entry import Checkpoint, NetworkSpec
from zoohub.manifest.index import Resolved
from zoohub.models.fetching import fetch_resolved
from zoohub.models.interface import interface_of
from zoohub.models.meaning import check_format, instead, meant, network_of
from zoohub.models.memory import check_memory
from zoohub.models.own_files import OwnFile, read_own_file, say_taken
from zoohub.models.provenance import Provenance, class_names_of
from zoohub.models.request import LoadRequest
from zoohub.networks.families import exchanged_heads, find_family
from zoohub.networks.options import NetworkOptions
from zoohub.networks.spellings import own_names, resizes
from zoohub.settings import Settings

if TYPE_CHECKING:
    from mindspore import nn


def load_network(name: str, settings: Settings, request: LoadRequest) -> nn.Cell:
    """Resolve, fetch, build, load; see `zoohub.load`."""
    own_weights, options, arguments = request.own_weights, request.options, request.arguments
    resolved, path, classes = meant(name, settings)
    checkpoint = resolved.checkpoint
    own_run, said = path is not None, OwnFile()
    with_weights = request.pretrained or own_run or own_weights is not None
    _check_version(checkpoint if request.pretrained else None)
    if request.pretrained and checkpoint is not None and checkpoint.format == "mindir":
        _refuse_changes(resolved, options, arguments)
        check_memory(resolved.entry, checkpoint, request.force)
        return _graph_cell(resolved, settings, request)
    spec, published = network_of(resolved), resolved.entry.input_of(checkpoint)
    arguments = own_names(find_family(spec.builder), spec.arguments, arguments)
    _check_arguments(spec, arguments)
    if request.pretrained or own_run or not resizes(arguments):
        check_memory(resolved.entry, None if own_weights is not None else checkpoint, request.force)
    if request.pretrained and not own_run:
        check_format(resolved)
        path = _fetched(resolved, settings, request)
    elif own_weights is not None:
        # The file's own names decide, unless the caller does: it need not be the publisher's.
        path = request.own_file
        said = read_own_file(path, spec).fitting(spec, options.num_classes)
        spec = replace(said.spec(spec, published), parameters=None)
        say_taken(path, said, published, classes)
    use_device(settings)
    from zoohub.networks.loading import create_network

    net, report = create_network(
        spec,
        path if own_weights is None else own_weights,
        replace(
            options,
            layout=options.layout if with_weights else None,
            published=own_weights is None and not own_run,
            renewed=exchanged_heads(spec, arguments),
        ),
        **arguments,
    )
    interface = interface_of(net, spec, published, classes, said, options, arguments)
    net.zoohub = Provenance(
        entry=resolved.entry,
        checkpoint=checkpoint if with_weights and own_weights is None else None,
        path=path,
        report=report,
        network=replace(spec, arguments={**spec.arguments, **arguments}),
        input=interface.input,
        classes=interface.classes,
        watch=interface.watch,
    )
    return net


def _check_version(checkpoint: Checkpoint | None) -> None:
    warn_of_numpy()
    if checkpoint is None:
        check_mindspore()
    else:
        check_mindspore(needed_mindspore(checkpoint), checkpoint.reference)


def _check_arguments(spec: NetworkSpec, arguments: Mapping[str, object]) -> None:
    """Refuse what the builder does not take, before names of our own can meet it."""
    family = find_family(spec.builder)
    for name, value in arguments.items():
        problem = family.misfit(name, value)
        if problem:
            raise UsageError(problem)


def _refuse_changes(
    resolved: Resolved, options: NetworkOptions, arguments: Mapping[str, object]
) -> None:
    # `strict` is about parameters that fit or do not: a graph has none to fit.
    given: dict[str, object] = {**asdict(options), **arguments, "parameters": options.layout}
    del given["layout"]
    asked = sorted(key for key, value in given.items() if value and key != "strict")
    if asked:
        assert resolved.checkpoint is not None
        raise UsageError(
            f"{resolved.checkpoint.reference} is a finished graph, which {', '.join(asked)} "
            "cannot change" + instead(resolved)
        )


def needed_mindspore(checkpoint: Checkpoint) -> str | None:
    """The oldest MindSpore that can take this file; None: any that zoohub supports.

    Weights trained with a newer MindSpore are read by an older one all the same, so far. A graph
    (MINDIR) is not, nor is anything from a version that this zoohub does not know.
    """
    version = checkpoint.mindspore
    if version is None or checkpoint.format == "mindir":
        return version
    return version if version_tuple(version) > version_tuple(NEWEST_MINDSPORE + ".99") else None


def use_device(settings: Settings) -> None:
    """Choose MindSpore's device, where a setting names one."""
    if settings.device is None:
        return
    import mindspore as ms

    kind, _, number = settings.device.partition(":")
    try:
        ms.set_device("Ascend" if kind == "ascend" else "CPU", int(number) if number else None)
    except (RuntimeError, ValueError) as error:
        first = str(error).strip().splitlines()[0].partition(". ")[0].rstrip(".")
        raise UsageError(
            f"device {settings.device!r} cannot be used: {first}; `--device cpu` always can"
        ) from error


def _fetched(resolved: Resolved, settings: Settings, request: LoadRequest) -> Path:
    return fetch_resolved(
        resolved, settings, verify=request.verify, show_progress=request.show_progress
    )


def _graph_cell(resolved: Resolved, settings: Settings, request: LoadRequest) -> nn.Cell:
    """A MINDIR as a cell: for prediction only, its parameters are constants of the graph."""
    path = _fetched(resolved, settings, request)
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
        input=resolved.entry.input_of(checkpoint),
        classes=class_names_of(checkpoint),
        path=path,
        report=None,
    )
    return net
