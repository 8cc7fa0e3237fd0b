"""How good a network is on samples, and `zoohub.evaluate`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.core.binding import assign_part
from zoohub.core.counting import plural
from zoohub.core.paths import expanded, name_or_path
from zoohub.core.threads import machine_threads
from zoohub.core.values import checked
from zoohub.errors import DataError, RecipeError, UsageError
from zoohub.manifest.entry import InputContract
from zoohub.models.meaning import meant
from zoohub.models.request import weights_request
from zoohub.predicting.known import FINISHED
from zoohub.predicting.opening import open_predictor
from zoohub.predicting.predicting import MOST_THREADS
from zoohub.predicting.predictor import Predictor
from zoohub.predicting.reading import in_batches, rows_of
from zoohub.settings import Settings, settings_for, with_engine
from zoohub.tasks.classes import match_classes
from zoohub.tasks.contract import AnyTask, Figures, Metric, Note, Row
from zoohub.tasks.finding import find_reader, reader_of, task_for
from zoohub.tasks.samples import AnySamples, AnySplits, left_out_sentence
from zoohub.tasks.texts import with_vocabulary

if TYPE_CHECKING:
    from mindspore import nn

Prepare: TypeAlias = Callable[[Any], tuple[Row, ...]]

_MOST_PIXELS = 64 * 640 * 640  # of the pictures that are held at a time


def measure_samples(
    predictor: Predictor,
    samples: AnySamples,
    batch_size: int,
    note: Note,
    prepare: Prepare | None = None,
) -> Metric:
    """The metric of the network on the samples, whose classes are the network's own.

    `note` is told of the samples that cannot be read, which are left out. `prepare` makes an input
    the network's; None: as the task does.

    Raises:
        DataError: none can be read.
    """
    assert predictor.names is not None
    prepare = prepare or predictor.task.prepare(predictor.input)
    metric = predictor.task.metric(predictor.names)
    measured, reason = 0, ""
    threads = min(MOST_THREADS, machine_threads())
    size = rows_at_once(predictor.input, min(batch_size, len(samples)))
    for group in in_batches(
        len(samples), lambda place: prepare(samples.inputs[place]), size, threads
    ):
        for one in group:
            if one.error is not None:
                reason = reason or one.error
                note(samples.names[one.place], one.error)
        good = [one.place for one in group if one.rows]
        if good:
            rows = rows_of(group)
            metric.add(predictor.infer(rows), rows, [samples.targets[place] for place in good])
        measured += len(good)
    if not measured:
        count, sample = len(samples), predictor.task.sample
        which = plural(count, f"the one {sample} cannot", f"none of the {count} {sample}s can")
        raise DataError(f"{which} be read; first: {reason}")
    return metric


def rows_at_once(contract: InputContract, most: int) -> int:
    """How many rows, of `most`, are held for a run of the network: fewer of large pictures, and one
    of those whose size follows from the picture, which `contract.size` says nothing sure of."""
    if contract.open_size:
        return 1
    height, width = contract.size or (1, 1)
    return max(1, min(most, _MOST_PIXELS // (height * width)))


@checked
def evaluate(
    model: str | Path | nn.Cell,
    data: object,
    *,
    batch_size: int = 64,
    assignments: Sequence[str] = (),
    checkpoint: object = None,
    parameters: str | None = None,
    num_classes: int | None = None,
    ema: bool = False,
    settings: Settings | None = None,
    device: str | None = None,
    mode: str | None = None,
    engine: str | None = None,
    offline: bool | None = None,
    progress: bool = True,
    force: bool = False,
) -> Figures:
    """A network's results on samples of which the truth is known.

    Args:
        model: a reference, a run's folder, a network from `zoohub.load`, or an .onnx or .mindir
            file that zoohub exported (what it says of itself gives input and class names).
        data: what the model's task reads. For a classifier: a folder a class, a .csv or .jsonl
            file, or `digits` (the held-out ones); for a detector: a data.yaml, a COCO .json file,
            a folder of Pascal VOC's or `digit-scenes`; or a recipe's `data`. Where it has parts,
            the test part counts, else the validation part; else all of it.
        batch_size: samples at a time, fewer of large pictures, and one where the network's input
            is as large as the picture makes it.
        assignments: `data.KEY=VALUE` of how data is read that is named, as a recipe has them.
        checkpoint, parameters, num_classes, ema: weights of your own for the model that is named,
            as for `zoohub.load`.
        settings: zoohub's settings; None reads them.
        mode: `graph` or `pynative`; None is the process's own.
        engine: `auto`, `mindspore` or `onnxruntime`; None follows the settings (ZOOHUB_ENGINE).
        device, offline, progress, force: as for `zoohub.load`.

    Returns:
        The task's figures, with `engine` (what computed), `classes` (the network's names),
        `skipped` (reasons by path of what could not be read) and `warnings` (sentences about the
        data). For a classifier
        `{count, loss, top1, top5, per_class, confusion, …}`: `loss` in nats, accuracies 0 to 1,
        `top5` absent below six classes, `per_class` an accuracy (None without pictures) by name,
        `confusion` counts by label (rows) and prediction. For a detector, by COCO's protocol,
        `{count, boxes, map, map50, map75, per_class: {name: {map, map50, boxes}}, …}`, and where
        both have masks `mask_map`, `mask_map50` and `mask_map75`. For a text
        detector, by ICDAR 2015's, `{count, texts, found, precision, recall, hmean, …}`.

    Raises:
        DataError: the data cannot be read, is another task's, or its classes are not the network's.
        UsageError: a batch of nothing, or another value of the wrong kind.
        As `zoohub.load` where `model` is a name.
    """
    settings = with_engine(settings or settings_for(offline=offline, device=device), engine)
    request = weights_request(
        checkpoint, parameters, num_classes=num_classes, ema=ema, force=force, progress=progress
    )
    network = str(model) if isinstance(model, str | os.PathLike) else "the network"
    # The data is here already, and the weights may have to be fetched.
    known = _published(model, settings)
    asked = _Asked(data, network, _about_data(assignments))
    splits = None if known is None else _splits(*known, asked)
    predictor = open_predictor(model, settings, mode=mode, request=request)
    task = predictor.task
    if splits is None:
        splits = _splits(task, predictor.input, asked)
    samples = splits.measured()
    warnings = (
        left_out_sentence(splits.skipped, task.sample) if task.counts_left_out else ()
    ) + splits.warnings
    if not len(samples):
        left = left_out_sentence(splits.skipped, task.sample)
        reasons = "; ".join((*left, *splits.warnings)) or "it is empty"
        raise DataError(f"the data has no readable {task.samples} to measure on: {reasons}")
    classes = predictor.names
    if classes is None or (splits.classes and not task.has_classes):
        rows = task.prepare(predictor.input)(samples.inputs[0])
        classes = task.class_names(predictor.infer(rows), splits.classes, classes)
    places = np.arange(0)
    if task.has_classes:
        places = _places(task, splits, samples, (predictor.names, len(classes)), network)
    named = replace(predictor, names=classes)
    skipped = dict(splits.skipped)
    metric = measure_samples(
        named, task.renumbered(samples, places), batch_size, skipped.setdefault
    )
    try:
        figures = metric.figures()
    except DataError as error:  # what was left out may be why there is nothing to measure by
        raise DataError("; ".join((str(error), *warnings))) from None
    return {
        **figures,
        "engine": named.computing,
        "classes": list(classes),
        "skipped": skipped,
        "warnings": [*warnings, *task.warn(predictor.confidence, predictor.input)],
    }


def _published(model: object, settings: Settings) -> tuple[AnyTask, InputContract | None] | None:
    """The task and the input of a network that is named; None of an object and a finished
    graph."""
    if not isinstance(model, str | os.PathLike) or str(model).lower().endswith(FINISHED):
        return None
    resolved = meant(name_or_path(model), settings)[0]
    checkpoint, entry = resolved.checkpoint, resolved.entry
    task = task_for(entry.task, entry.network_of(checkpoint))
    return task, entry.input_of(checkpoint)


@dataclass(frozen=True)
class _Asked:
    """The data as the user named it, the network's name, and values for how the data is read."""

    data: object
    network: str
    assignments: Sequence[str]


def _about_data(assignments: Sequence[str]) -> Sequence[str]:
    """The assignments. Raises UsageError: one is not about the data."""
    other = next((text for text in assignments if not text.startswith("data.")), None)
    if other is not None:
        raise UsageError(f"{other}: what is measured follows from data.KEY=VALUE alone")
    return assignments


def _splits(task: AnyTask, contract: InputContract | None, asked: _Asked) -> AnySplits:
    data = asked.data
    try:
        if isinstance(data, str | os.PathLike):
            data = os.fspath(data)
            reader = find_reader(task, data, asked.network)
            held_out = reader.held_out()
            if held_out is not None and not asked.assignments:
                return held_out
            data = assign_part(reader.describe(expanded(data)), "data", asked.assignments)
        reader = reader_of(task, data, asked.network)
        return reader.read(with_vocabulary(data, contract), measuring=True)
    except RecipeError as error:  # there is no recipe here
        raise DataError(str(error)) from None


def _places(
    task: AnyTask,
    splits: AnySplits,
    samples: AnySamples,
    known: tuple[Sequence[str] | None, int],
    network: str,
) -> NDArray[np.int64]:
    """The network's index of each class of the data, at least of those that `samples` have;
    `known` are its names, if there are any, and how many classes it has.

    Raises:
        DataError: as `match_classes`.
    """
    names, outputs = known
    try:
        return match_classes(splits.classes, names, outputs, network)
    except DataError:
        if names is None:
            raise
    # A class that only parts not measured have is no reason to refuse.
    own = np.unique(np.fromiter(task.present(samples), np.int64))
    places = np.full(len(splits.classes), -1, np.int64)
    places[own] = match_classes([splits.classes[i] for i in own], names, outputs, network)
    return places
