"""What is known of whatever predicts before a network, which may be large, is fetched."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from zoohub.core.paths import name_or_path
from zoohub.core.values import check_values
from zoohub.graphs.metadata import read_metadata
from zoohub.manifest.entry import InputContract, NetworkSpec
from zoohub.models.meaning import meant
from zoohub.predicting.asked import check_own, network_asked
from zoohub.predicting.pipeline_files import is_pipeline_file, read_pipeline_file
from zoohub.settings import Settings
from zoohub.tasks.contract import AnyTask
from zoohub.tasks.finding import options_for, task_for

FINISHED = (".onnx", ".mindir")  # graphs that bring their weights


@dataclass(frozen=True)
class Known:
    """Its task, and of one network the input contract and the definition, as far as they are
    said. `filed` is the index's name of the task."""

    task: AnyTask
    filed: str
    input: InputContract | None = None
    network: NetworkSpec | None = None


def check_options(
    model: object, given: Mapping[str, object], settings: Settings, task: str | None = None
) -> None:
    """That the options that are given (None: not given) are right and, of a reference or a run,
    its task's: said before a network is fetched. What is here is asked when it is opened.

    Raises:
        UsageError: they are not. As `known_of`.
    """
    check_values(given)
    asked = any(value is not None for value in given.values())
    if not asked or not isinstance(model, str | os.PathLike):
        return
    name = name_or_path(model)
    if not is_pipeline_file(name) and not name.lower().endswith(FINISHED):
        options_for(known_of(name, settings, task).task, given)


def known_of(model: str, settings: Settings, task: str | None = None) -> Known:
    """Of a reference, a run, an exported file or an exported pipeline's description; with `task`
    as that takes it.

    Raises:
        DataError: zoohub has no such task, or a file does not say. As `zoohub.predict` for names.
    """
    if is_pipeline_file(model):
        filed = read_pipeline_file(model).task
        own = task_for(filed, None)
        check_own(task, model, own)
        return Known(own, filed)
    if model.lower().endswith(FINISHED):
        said = read_metadata(model)
        filed = said.task or ""
        own = task_for(filed, None)
        check_own(task, model, own)
        return Known(own, filed, said.input)
    resolved, _, _ = meant(model, settings)
    checkpoint, entry = resolved.checkpoint, resolved.entry
    contract = entry.input_of(checkpoint)
    network = entry.network_of(checkpoint)
    network = network_asked(task, model, entry.task, network)
    return Known(task_for(entry.task, network), entry.task, contract, network)
