"""Predict pictures: expand, transform, run in batches, and say what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.inference.drawings import drawing_paths, save_drawing
from zoohub.inference.inputs import Inputs, Source, expand_inputs
from zoohub.inference.results import Label, Prediction
from zoohub.inference.runner import Runner
from zoohub.manifest.entry import InputContract
from zoohub.vision import detection
from zoohub.vision.transforms import Prepared, Transform

CLASSIFICATION = "image-classification"
DETECTION = "object-detection"


@dataclass(frozen=True, slots=True)
class _Options:
    task: str
    names: tuple[str, ...] | None
    top: int
    threshold: float
    iou: float
    multi_label: bool
    max_detections: int


def predict_inputs(
    runner: Runner,
    inputs: Inputs,
    contract: InputContract,
    *,
    task: str,
    class_names: Sequence[str] | None = None,
    top: int = 5,
    batch_size: int = 8,
    threshold: float | None = None,
    iou: float = detection.IOU,
    multi_label: bool = False,
    max_detections: int = detection.MAX_DETECTIONS,
    save: str | Path | None = None,
) -> Iterator[Prediction]:
    """Predict each input, in order, a batch at a time.

    Args:
        runner: the network.
        inputs: image files, folders, patterns, PIL images or uint8 (H, W, C) arrays, one or many.
        contract: how a picture becomes the network's input.
        task: `image-classification` or `object-detection`.
        class_names: by index. None: the classes are called `class 0`, `class 1`, …
        top: how many classes to give for a classification.
        batch_size: pictures to a run of the network; they may differ in size.
        threshold: scores below it are left out. None: 0 for classification, 0.25 for detection.
        iou: overlap above which the weaker of two boxes of one class goes.
        multi_label: let a box have several classes, as mindyolo's evaluation does.
        max_detections: boxes to a picture at most.
        save: where to write the pictures with their boxes: a file for one input, or a folder.

    Returns:
        An iterator of one `Prediction` for each input. An input that cannot be read carries its
        error, and the others are predicted all the same. Arguments are checked at once.

    Raises:
        DataError: the contract is incomplete, nothing matched, or (while iterating) the network's
            output does not fit the task or the class names.
    """
    if task not in (CLASSIFICATION, DETECTION):
        raise DataError(f"zoohub predicts {CLASSIFICATION} and {DETECTION}, not {task!r}")
    if top < 1 or batch_size < 1:
        raise DataError(f"top and batch size must be 1 or more; got {top} and {batch_size}")
    if save is not None and task != DETECTION:
        raise DataError(f"drawings are made of detections; this model's task is {task}")
    options = _Options(
        task=task,
        names=None if class_names is None else tuple(class_names),
        top=top,
        threshold=(0.0 if task == CLASSIFICATION else detection.CONFIDENCE)
        if threshold is None
        else threshold,
        iou=iou,
        multi_label=multi_label,
        max_detections=max_detections,
    )
    transform = Transform(contract)
    sources = expand_inputs(inputs)
    drawings = (None,) * len(sources) if save is None else drawing_paths(sources, Path(save))
    return _predict(runner, sources, drawings, transform, batch_size, options)


def _predict(
    runner: Runner,
    sources: Sequence[Source],
    drawings: Sequence[Path | None],
    transform: Transform,
    batch_size: int,
    options: _Options,
) -> Iterator[Prediction]:
    # Failed inputs wait in the queue with the others, so that the results keep the inputs' order.
    queue: list[tuple[Source, Path | None, Prepared | str]] = []
    ready = 0
    for position, (source, drawing) in enumerate(zip(sources, drawings, strict=True)):
        prepared = _prepare(source, transform)
        queue.append((source, drawing, prepared))
        ready += isinstance(prepared, Prepared)
        if ready < batch_size and position + 1 < len(sources):
            continue
        batch = [item for _, _, item in queue if isinstance(item, Prepared)]
        found = iter(_run(runner, batch, transform.size, options))
        for source, drawing, item in queue:
            if isinstance(item, str):
                yield Prediction(source.name, error=item)
            else:
                yield _finished(source, drawing, next(found))
        queue, ready = [], 0


def _prepare(source: Source, transform: Transform) -> Prepared | str:
    if source.picture is None:
        return str(source.error)
    try:
        return transform.prepare(source.picture)
    except DataError as error:
        return str(error)


def _run(
    runner: Runner, batch: Sequence[Prepared], size: tuple[int, int], options: _Options
) -> list[tuple[Label, ...]]:
    """The labels of each picture of a batch."""
    if not batch:
        return []
    outputs = runner.run(np.stack([prepared.array for prepared in batch]))
    if options.task == CLASSIFICATION:
        return [classify(row, options) for row in _class_scores(outputs[0], options)]
    return [
        _in_picture(found, prepared, options.names)
        for found, prepared in zip(_detect(outputs, len(batch), size, options), batch, strict=True)
    ]


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Probabilities along the last axis, computed in float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities


def _class_scores(logits: NDArray[Any], options: _Options) -> NDArray[np.float64]:
    """Probabilities (N, classes).

    Networks trained on ImageNet with a background class have 1001 outputs; the first 1000 count.
    """
    if logits.ndim != 2:
        raise DataError(
            f"expected one score a class, (N, classes), from the network; got {logits.shape}"
        )
    if logits.shape[1] == 1001 and (options.names is None or len(options.names) == 1000):
        logits = logits[:, :1000]
    _check_count(logits.shape[1], options.names)
    _check_finite(logits)
    return softmax(logits)


def classify(probabilities: NDArray[np.float64], options: _Options) -> tuple[Label, ...]:
    """The best classes of one picture; equal scores in the order of their indices."""
    best = np.argsort(-probabilities, kind="stable")[: options.top]
    return tuple(
        Label(_name(index, options.names), int(index), float(probabilities[index]))
        for index in best
        if probabilities[index] >= options.threshold
    )


def _detect(
    outputs: Sequence[NDArray[Any]], count: int, size: tuple[int, int], options: _Options
) -> list[detection.Detections]:
    """The boxes of each of `count` pictures, in pixels of the network's input."""
    if len(outputs) == 1 and outputs[0].ndim == 2 and outputs[0].shape[1] == 7:
        _check_finite(outputs[0])
        table = outputs[0]
        if options.names is not None and len(table):
            _check_count(max(len(options.names), int(table[:, 6].max()) + 1), options.names)
        return detection.table_detections(
            table, count, confidence=options.threshold, max_detections=options.max_detections
        )
    prediction = detection.decoded_prediction(outputs, size)
    _check_count(prediction.shape[2] - 5, options.names)
    _check_finite(prediction)
    return [
        detection.select_detections(
            boxes,
            confidence=options.threshold,
            iou=options.iou,
            multi_label=options.multi_label,
            max_detections=options.max_detections,
        )
        for boxes in prediction
    ]


def _in_picture(
    found: detection.Detections, prepared: Prepared, names: tuple[str, ...] | None
) -> tuple[Label, ...]:
    """Boxes as labels, in pixels of the picture they were found in."""
    corners = prepared.geometry.to_picture(found.boxes).tolist()
    return tuple(
        Label(_name(index, names), index, score, (x1, y1, x2, y2))
        for (x1, y1, x2, y2), index, score in zip(
            corners, found.classes.tolist(), found.scores.tolist(), strict=True
        )
    )


def _name(index: int, names: tuple[str, ...] | None) -> str:
    return f"class {index}" if names is None else names[index]


def _check_count(count: int, names: tuple[str, ...] | None) -> None:
    if names is not None and len(names) != count:
        raise DataError(
            f"the network gives {count} classes but {len(names)} class names are known; "
            "the checkpoint's entry in the index names other classes than its network has"
        )


def _check_finite(values: NDArray[Any]) -> None:
    if not np.isfinite(values).all():
        raise DataError(
            "the network gave values that are not finite (inf or nan); "
            "its weights or its number type do not suit this device"
        )


def _finished(source: Source, drawing: Path | None, labels: tuple[Label, ...]) -> Prediction:
    """The prediction, its drawing written where one is asked for."""
    prediction = Prediction(source.name, labels)
    if drawing is None or source.picture is None:
        return prediction
    try:
        save_drawing(source.picture, labels, drawing)
    except DataError as error:
        return replace(prediction, predictions=(), error=str(error))
    return replace(prediction, saved=str(drawing))
