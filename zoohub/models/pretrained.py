"""From a resolved reference to a network that knows where it comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.core.paths import local_path
from zoohub.errors import CheckpointCorrupt, NetworkNotAvailable, UnknownModel, UsageError
from zoohub.framework import NEWEST_MINDSPORE, check_mindspore, version_tuple, warn_of_numpy
from zoohub.manifest.entry import Checkpoint, NetworkSpec
from zoohub.manifest.index import Resolved
from zoohub.manifest.opening import open_index
from zoohub.manifest.reference import is_path
from zoohub.models.describing import WEIGHT_FORMATS
from zoohub.models.fetching import fetch_resolved
from zoohub.models.interface import interface_of
from zoohub.models.memory import check_memory
from zoohub.models.own_files import OwnFile, read_own_file, say_taken
from zoohub.models.provenance import Provenance, class_names_of
from zoohub.models.runs import is_run, open_run
from zoohub.networks.families import exchanged_heads, find_family
from zoohub.networks.options import NetworkOptions
from zoohub.networks.spellings import own_names, resizes
from zoohub.settings import Settings

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


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Which weights a network is to have, how they come and are read; see `zoohub.load`.

    `arguments` are the network builder's own.
    """

    pretrained: bool = False
    own_weights: object = None
    verify: bool = False
    show_progress: bool = True
    force: bool = False
    options: NetworkOptions = field(default_factory=NetworkOptions)
    arguments: Mapping[str, object] = field(default_factory=dict)

    @property
    def own_file(self) -> Path | None:
        """The file of weights of one's own, where these come from one."""
        own = self.own_weights
        return local_path(own) if isinstance(own, str | os.PathLike) else None

    @property
    def compilable(self) -> bool:
        """Whether a compiled form may be kept: of weights as they are, published or a file's; the
        head may be another."""
        own = self.options
        plain = NetworkOptions()
        if self.own_weights is not None:
            plain = NetworkOptions(layout=own.layout, ema=own.ema, num_classes=own.num_classes)
        kept = self.own_weights is None or self.own_file is not None
        return kept and own == plain and self.arguments.keys() <= {"head"}


def weights_request(
    checkpoint: object,
    parameters: str | None = None,
    *,
    num_classes: int | None = None,
    ema: bool = False,
    force: bool = False,
    progress: bool = True,
) -> LoadRequest:
    """A model's published weights, or those of `checkpoint` where one is given; as `zoohub.load`.

    Raises:
        UsageError: what only a checkpoint of one's own can have.
    """
    if checkpoint is None and num_classes is not None:
        raise UsageError("num_classes= says how many classes checkpoint= has; give both")
    return LoadRequest(
        pretrained=checkpoint is None,
        own_weights=checkpoint,
        show_progress=progress,
        force=force,
        options=NetworkOptions(layout=parameters, ema=ema, num_classes=num_classes),
    )


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
        _check_format(resolved)
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
            "cannot change" + _instead(resolved)
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
        first = str(error).strip().splitlines()[0].partition(". ")[0].rstrip(".")
        raise UsageError(
            f"device {settings.device!r} cannot be used: {first}; `--device cpu` always can"
        ) from error


def _check_format(resolved: Resolved) -> None:
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
