"""From what the user names to what predicts: a network, its compiled form, an exported file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from zoohub.core.paths import local_path, name_or_path
from zoohub.errors import ExportError, UsageError
from zoohub.graphs.metadata import Metadata
from zoohub.models.describing import has_network
from zoohub.models.meaning import meant
from zoohub.models.memory import check_memory
from zoohub.models.own_files import OwnFile, read_own_file, say_taken
from zoohub.models.pretrained import load_network
from zoohub.models.request import LoadRequest
from zoohub.models.subjects import find_subject, with_own_weights
from zoohub.networks.families import find_family, has_family
from zoohub.outputs.reading import choose_reading
from zoohub.predicting.asked import check_own, request_for
from zoohub.predicting.compiled import Form as Compiled
from zoohub.predicting.compiled import find_form, making_whole
from zoohub.predicting.compiled_parts import making_parts, open_parts
from zoohub.predicting.engines import Choice, choose_engine, note_once, this_machine
from zoohub.predicting.exported import open_exported
from zoohub.predicting.known import FINISHED
from zoohub.predicting.predictor import Predictor, cell_runner, no_contract, predictor_of
from zoohub.running import CellRunner, Runner
from zoohub.settings import Settings
from zoohub.tasks.finding import task_for

if TYPE_CHECKING:
    from mindspore import nn

MODES = ("graph", "pynative")


def open_predictor(
    model: str | Path | nn.Cell,
    settings: Settings,
    *,
    mode: str | None = None,
    request: LoadRequest | None = None,
    task: str | None = None,
) -> Predictor:
    """The predictor of a reference, a run, an exported file, or a network `zoohub.load` made.

    `request` says which weights a reference is to have; None: the published ones. `task` is one
    that is asked of it; None: its own.

    Raises:
        As `zoohub.load`; DataError where the input contract is not known, or zoohub has no such
        task.
    """
    if mode is not None and mode not in MODES:
        raise UsageError(f"mode {mode!r} is not known; choose graph or pynative")
    named = isinstance(model, str | os.PathLike)
    finished = named and str(model).lower().endswith(FINISHED)
    own_weights = request is not None and request.own_weights is not None
    if own_weights and (finished or not named):
        what = f"{model} is a finished graph" if finished else "this network has its weights"
        raise UsageError(f"checkpoint= goes with a model's name; {what}")
    if finished:
        predictor = open_exported(local_path(cast("str | Path", model)), settings)
        check_own(task, str(model), predictor.task)
        return predictor
    changed = request is not None and not request.compilable
    if settings.engine == "onnxruntime" and (changed or not named):
        what = "a network with weights of your own" if named else "a network object"
        raise UsageError(
            f"{what} runs in MindSpore, as its weights may have changed; give its name, or export "
            "it"
        )
    if not named:
        predictor = predictor_of(cast("nn.Cell", model), mode)
        check_own(task, "this network", predictor.task)
        return predictor
    return _of_name(name_or_path(model), settings, mode, request, task)


def _of_name(
    name: str,
    settings: Settings,
    mode: str | None,
    request: LoadRequest | None,
    task: str | None,
) -> Predictor:
    """The predictor of a reference or a run: its compiled form, or its network in MindSpore."""
    request = request_for(task, name, settings, request or LoadRequest(pretrained=True))
    if request.compilable:
        choice = choose_engine(settings.engine, settings.device, mode, this_machine())
        if choice.hint is not None:
            note_once(choice.hint, settings)
        found = None
        if choice.engine == "onnxruntime":
            found = _compiled(name, settings, choice, request)
        if found is not None:
            return found
    return predictor_of(_loaded(name, settings, request), mode)


def _loaded(name: str, settings: Settings, request: LoadRequest) -> nn.Cell:
    resolved = meant(name, settings)[0]
    entry, checkpoint = resolved.entry, resolved.checkpoint
    if has_network(entry):  # nothing is fetched in vain
        spec = entry.network_of(checkpoint)
        spec = None if spec is None else spec.with_arguments(request.arguments)
        task = task_for(entry.task, spec)
        if spec is not None:
            task.check_network(spec)
        said = read_own_file(request.own_file, spec)
        if said.input is None and entry.input_of(checkpoint) is None:
            raise no_contract(entry.model)
    return load_network(name, settings, request)


def _compiled(
    name: str, settings: Settings, choice: Choice, request: LoadRequest
) -> Predictor | None:
    """The predictor of a network's compiled form, made if need be; None where MindSpore is to run:
    the name stands for no network of our own, or its form failed the check before."""
    subject = find_subject(name, settings)
    if subject is None:
        if choice.required:
            _check_compilable(name, settings)
        return None
    known, subject = subject, with_own_weights(subject, request)
    subject = replace(subject, network=subject.network.with_arguments(request.arguments))
    if subject.own is not None and not subject.own.is_file():
        return None  # loading it says what is wrong
    task = task_for(subject.task, subject.network)
    task.check_network(subject.network)  # nothing is fetched in vain
    published = None if subject.own else subject.checkpoint
    check_memory(subject.resolved.entry, published, request.force)
    form = find_form(subject, settings, show_progress=request.show_progress)
    if form.record is not None and form.record.refused is not None:
        if choice.required:
            raise ExportError(f"{subject.name} cannot be compiled: {form.record.refused}")
        return None

    @cache
    def making() -> Predictor:
        return _making(_loaded(name, settings, request), form, required=choice.required)

    turn = threading.Lock()

    def late() -> Mapping[str, Runner]:
        with turn:  # two threads would load the network twice
            return making().parts

    found = _of_form(form, late)
    if found is None:
        return making()
    say_taken(subject.own, OwnFile(subject.input, subject.classes), known.input, known.classes)
    return found


def _making(net: nn.Cell, form: Compiled, *, required: bool) -> Predictor:
    """The predictor that has the network's form made as it is asked, and runs it from there on."""
    predictor = predictor_of(net)
    if predictor.input.text is not None:  # of which the weights decide how many tokens are known
        form = replace(form, subject=replace(form.subject, input=predictor.input))
    cell, units = predictor.runner, predictor.task.comparable
    assert isinstance(cell, CellRunner)
    if predictor.parts:
        parts = cast("Mapping[str, CellRunner]", predictor.parts)
        made = making_parts(cell.net, parts, form, units, required=required)
        last = list(made.values())[-1]
        return replace(predictor, runner=last, parts=made, engine="onnxruntime")
    checker, _ = cell_runner(cell.net, form.subject.network.builder, "pynative")
    making = making_whole(cell, checker, form, units, required=required)
    return replace(predictor, runner=making, engine="onnxruntime")


def _check_compilable(name: str, settings: Settings) -> None:
    """That a network, of which there is no compiled form, is not one that reads text, or of whose
    kind there never is one.

    Raises:
        UsageError: it is.
    """
    resolved, _, _ = meant(name, settings)
    checkpoint = resolved.checkpoint
    contract = resolved.entry.input_of(checkpoint)
    spec = resolved.entry.network_of(checkpoint)
    text = contract is not None and contract.text is not None
    known = spec is not None and has_family(spec.builder)
    if text or (known and spec is not None and not find_family(spec.builder).compilable):
        raise UsageError(
            f"{name} has no compiled form for onnxruntime yet: leave the engine out, or export it "
            "(zoohub export) and name the file"
        )


def _of_form(form: Compiled, late: Callable[[], Mapping[str, Runner]]) -> Predictor | None:
    """The predictor of a form that is there, else None; `late` makes those of parts that are not,
    where the first is."""
    subject = form.subject
    family = find_family(subject.network.builder)
    parts = {} if family.parts is None else open_parts(form, late)
    asked_most = next(reversed(parts.values()), None)
    runner = form.open(family.inputs) if family.parts is None else asked_most
    if runner is None or form.record is None:
        return None
    said = Metadata.from_strings(form.record.said)
    read = choose_reading(said.outputs, decoding=said.decoding, own=family.read_outputs())
    task = task_for(subject.task, subject.network)
    told = said.input
    contract = subject.input if told is None or told.text is None else told
    return Predictor(task, runner, read, contract, subject.classes, "onnxruntime", parts=parts)
