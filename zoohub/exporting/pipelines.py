"""A pipeline exported: a file of each network, and a JSON file that `predict` reads again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from zoohub.errors import ExportError, UsageError
from zoohub.exporting.export import export_with_report
from zoohub.exporting.request import GRAPH_FORMATS, Options, plan_export
from zoohub.exporting.result import Export
from zoohub.manifest.entry import Entry, InputContract
from zoohub.manifest.steps import step_references
from zoohub.models.pipelines import Pipeline, network_name
from zoohub.predicting.known import known_of
from zoohub.predicting.pipeline_files import write_pipeline_file
from zoohub.settings import Settings
from zoohub.tasks.chained import chain_task
from zoohub.tasks.finding import find_task, task_for

# What is asked of all networks alike; what else there is, is one network's own affair.
_SHARED = ("format", "check", "dtype", "fold_bn", "batch")


def check_pipeline(name: str, options: Mapping[str, object]) -> None:
    """That a pipeline can be exported so.

    Raises:
        UsageError: an option that is for one network. ExportError: a format that is no graph's.
    """
    unasked = {field.name: field.default for field in fields(Options)}
    given = [
        key
        for key, value in options.items()
        if value and value != unasked.get(key) and key not in _SHARED
    ]
    if given:
        raise UsageError(
            f"{name} is a pipeline of several networks: leave {', '.join(given)} out, or export "
            "its steps' networks one by one"
        )
    format = options.get("format") or "onnx"
    if format not in GRAPH_FORMATS:
        raise ExportError(
            f"a pipeline is exported as graphs that predict ({', '.join(GRAPH_FORMATS)}), not as "
            f"{format}; export its steps' networks one by one"
        )


def check_exchanged(entry: Entry, given: Mapping[str, object], settings: Settings) -> None:
    """That the networks that are named for steps of a pipeline do what these are for: said before
    anything is fetched.

    Raises:
        DataError: one does something else. UsageError: there is no such step, or no network is
            named.
    """
    named = {step: network_name(entry.model, step, value) for step, value in given.items()}
    own = chain_task(entry.model, find_task(entry.task))
    own.check_steps(entry.model, step_references(entry, named))
    for step, name in named.items():
        own.check_step(step, name, known_of(name, settings).task)


def export_pipeline(
    pipeline: Pipeline, folder: Path, options: Mapping[str, object]
) -> Iterator[Export]:
    """Write the networks of a pipeline into a folder, `STEP.FORMAT`, one after another, and at last
    `NAME.json`, which says what they are. Axes that follow from the picture are left open.

    Raises:
        As `check_pipeline`, and `export_with_report` for a network.
        DataError: a step's network is for another task.
    """
    name = pipeline.entry.model
    check_pipeline(name, options)
    own = chain_task(name, find_task(pipeline.entry.task))
    own.check_steps(name, pipeline.steps)
    for step, net in pipeline.steps.items():
        known = net.zoohub
        own.check_step(step, known.entry.model, task_for(known.entry.task, known.network))
    format = str(options.get("format") or "onnx")
    shared = {key: value for key, value in options.items() if key in _SHARED and value is not None}
    files = {step: f"{step}.{format}" for step in pipeline.steps}
    for file in files.values():
        plan_export(folder / file, **shared)  # refused before anything is written
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{folder} cannot be made: {error.strerror or error}") from None
    for step, net in pipeline.steps.items():
        contract: InputContract = net.zoohub.input  # whoever is a step's has one
        yield export_with_report(net, folder / files[step], **shared, dynamic=contract.open_axes)
    write_pipeline_file(description_path(folder, name), name, pipeline.entry.task, files)


def description_path(folder: Path, name: str) -> Path:
    """The JSON file of an exported pipeline."""
    return folder / f"{name}.json"
