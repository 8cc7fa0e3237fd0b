"""Predict: expand, prepare, run in batches, interpret, and draw where that is asked for."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from zoohub.core.atomic import remove_leftovers
from zoohub.core.paths import local_path
from zoohub.core.threads import machine_threads
from zoohub.core.values import check_values
from zoohub.errors import DataError
from zoohub.inputs.source import Source
from zoohub.inputs.text import Question
from zoohub.predicting.chains import AnyPredictor
from zoohub.predicting.drawings import check_drawing, drawing_paths
from zoohub.predicting.reading import Ready, in_batches, rows_of
from zoohub.tasks.contract import Row
from zoohub.tasks.finding import options_for
from zoohub.tasks.pictures import save_image
from zoohub.tasks.results import AnyPrediction, Prediction

MOST_THREADS = 8  # that read
_MOST_AT_ONCE = 16


class Predictions(Iterator[AnyPrediction]):
    """One `Prediction` an input, in order, made as they are asked for; `count` will come."""

    def __init__(self, results: Iterator[AnyPrediction], count: int) -> None:
        self._results = results
        self.count = count

    def __next__(self) -> AnyPrediction:
        return next(self._results)


def predict_inputs(
    predictor: AnyPredictor,
    inputs: object,
    options: Mapping[str, object] | None = None,
    *,
    batch_size: int | None = 8,
    save: str | Path | None = None,
    done: Mapping[str, int] | None = None,
) -> Predictions:
    """Predict each input, in order, a batch at a time; files are read ahead in threads.

    Args:
        predictor: the network.
        inputs: what the task takes, one or many; of pictures: files, folders, patterns, bytes of
            a file, open files, PIL images or uint8 (H, W, C) arrays; of text: texts, lists of
            token ids, .txt and .jsonl files.
        options: of the task, by name; None stands for a default.
        batch_size: rows to a run of the network; pictures may differ in size. None: what suits the
            network's input, as `suitable_batch`.
        save: where to write drawings: a file for one input, or a folder.
        done: how many of the inputs of a name are left out, the first ones.

    Returns:
        An iterator of one `Prediction` for each input, with their `count`. An input that cannot be
        read carries its error, and the others are predicted all the same. Arguments are checked at
        once.

    Raises:
        DataError: the contract is incomplete, nothing matched, or (while iterating) the network's
            output does not fit the task or the class names.
        UsageError: an option, or a drawing of what none is made of.
    """
    task = predictor.task
    chosen = options_for(task, options or {})
    check_values({"batch_size": batch_size})
    if save is not None:
        check_drawing(task)
    prepare = predictor.prepare(chosen)
    expand = importlib.import_module(f"zoohub.inputs.{task.kind}.sources").expand_inputs
    sources: Sequence[Source] = expand(inputs)
    paths: Sequence[Path | None] = (None,) * len(sources)
    if save is not None:
        folder = os.fspath(save).endswith(("/", os.sep))
        drawings = drawing_paths(sources, local_path(save), task.drawing_suffix, folder=folder)
        remove_leftovers(drawings[0].parent)
        paths = drawings

    places = _undone(sources, done or {})
    files = all(isinstance(source.value, str | Path | None) for source in sources)
    size = suitable_batch(predictor) if batch_size is None else batch_size
    threads = min(MOST_THREADS, machine_threads()) if files and len(places) > 1 else 0

    def read(number: int) -> tuple[Row, ...]:
        source = sources[places[number]]
        if source.value is None:
            raise DataError(str(source.error))
        if isinstance(source.value, Question) and not task.asked:
            raise DataError(f"{source.name}: a question; this model's task is {task.name}")
        return prepare(source.value)

    def results() -> Iterator[AnyPrediction]:
        for group in in_batches(len(places), read, size, threads):
            for one, found in zip(group, interpreted(predictor, group, chosen), strict=True):
                place = places[one.place]
                yield _finished(predictor, sources[place], one, found, paths[place])

    return Predictions(results(), len(places))


def suitable_batch(predictor: AnyPredictor) -> int:
    """Pictures to a run of onnxruntime: as many as have the pixels of sixteen of 224x224, which the
    processor's caches hold; one of all else, and of what MindSpore would compile for each number.
    """
    size = predictor.input.size
    if predictor.task.kind != "picture" or predictor.computing != "onnxruntime" or size is None:
        return 1
    return max(1, min(_MOST_AT_ONCE, _MOST_AT_ONCE * 224 * 224 // (size[0] * size[1])))


def _undone(sources: Sequence[Source], done: Mapping[str, int]) -> Sequence[int]:
    """The places of the sources that are to be predicted."""
    if not done:
        return range(len(sources))
    left = dict(done)
    places = []
    for place, source in enumerate(sources):
        if left.get(source.name, 0) > 0:
            left[source.name] -= 1
        else:
            places.append(place)
    return places


def interpreted(
    predictor: AnyPredictor, group: Sequence[Ready], options: object
) -> list[tuple[object, ...]]:
    """The results of each input of a group; none of those that cannot be read."""
    task, rows = predictor.task, rows_of(group)
    found = iter(
        task.interpret(predictor.infer(rows), rows, predictor.names, options) if rows else ()
    )
    return [task.merge([next(found) for _ in one.rows]) if one.rows else () for one in group]


def _finished(
    predictor: AnyPredictor, source: Source, one: Ready, found: tuple[Any, ...], path: Path | None
) -> AnyPrediction:
    """The prediction, its drawing written where one is asked for."""
    if one.error is not None:
        return Prediction(source.name, error=one.error)
    illustrate = partial(predictor.task.illustrate, source.value, found)
    prediction = Prediction(
        source.name,
        found,
        engine=predictor.computing,
        size=predictor.task.extent(one.rows[0]) if one.rows else None,
        illustrate=illustrate,
    )
    if path is None:
        return prediction
    try:
        save_image(predictor.task.draw(source.value, found), path)
    except DataError as error:
        return replace(prediction, predictions=(), error=str(error))
    return replace(prediction, saved=str(path))
