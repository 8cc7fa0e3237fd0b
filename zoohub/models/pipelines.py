"""A pipeline's networks, loaded as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from zoohub.core.paths import expanded
from zoohub.errors import UnknownModel, UsageError
from zoohub.manifest.entry import Entry
from zoohub.manifest.opening import open_index
from zoohub.manifest.reference import is_path
from zoohub.manifest.steps import step_references
from zoohub.models.pretrained import load_network
from zoohub.models.request import LoadRequest
from zoohub.networks.options import NetworkOptions
from zoohub.settings import Settings

if TYPE_CHECKING:
    from mindspore import nn


@dataclass(frozen=True)
class Pipeline:
    """The networks of a pipeline's steps, in their order (`zoohub.load` of its name).

    Each is a network as `zoohub.load` gives it, and knows where it comes from (`.zoohub`).
    `zoohub.predict` takes the whole.
    """

    entry: Entry
    steps: Mapping[str, nn.Cell]

    def __getitem__(self, step: str) -> nn.Cell:
        return self.steps[step]

    def __repr__(self) -> str:
        steps = ", ".join(f"{step}: {type(net).__name__}" for step, net in self.steps.items())
        return f"Pipeline({self.entry.model!r}, {steps})"


def pipeline_called(name: str, settings: Settings) -> Entry | None:
    """The pipeline of that name; None where it is another thing's, or nobody's.

    Raises:
        AmbiguousReference: several models'. ManifestError: a lock does not hold it.
    """
    if is_path(name):
        return None
    try:
        entry = open_index(settings).resolve(name).entry
    except UnknownModel:
        return None
    return entry if entry.steps else None


def load_named(name: str, settings: Settings, request: LoadRequest) -> nn.Cell | Pipeline:
    """The network of a model or a run, or a pipeline's networks; see `zoohub.load`.

    What a pipeline is given besides by a step's name is the network to put there.

    Raises:
        UsageError: something that only one network can have is asked of a pipeline.
    """
    entry = pipeline_called(name, settings)
    if entry is None:
        return load_network(name, settings, request)
    options = request.options
    kept = NetworkOptions(strict=options.strict, dtype=options.dtype)
    if request.own_weights is not None or options != kept:
        raise UsageError(
            f"{name} is a pipeline, of the steps {', '.join(entry.steps)}: weights, classes and "
            "channels of your own go to the network of a step; give what it is then called as "
            f"{next(iter(entry.steps))}="
        )
    given = {step: network_name(name, step, value) for step, value in request.arguments.items()}
    bare = replace(request, arguments={})
    references = step_references(entry, given)
    nets = {step: load_network(ref, settings, bare) for step, ref in references.items()}
    return Pipeline(replace(entry, steps=references), nets)


def network_name(pipeline: str, step: str, value: object) -> str:
    """What is put in a step's place: a reference, or a path, which then looks like one.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(value, str):
        return value
    if not hasattr(value, "__fspath__"):
        raise UsageError(f"{pipeline}: the step {step} is a network by its name, not {value!r:.60}")
    return str(expanded(cast("str", value)).absolute())
