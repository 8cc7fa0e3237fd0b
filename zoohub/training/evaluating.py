"""`zoohub.evaluate`: how right a classifier is on pictures with labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from mindspore import nn
from numpy.typing import NDArray

from zoohub.errors import DataError, UsageError
from zoohub.inference.predict import CLASSIFICATION
from zoohub.predicting import Predictor, open_predictor
from zoohub.settings import Settings, load_settings
from zoohub.training.data.batches import in_order
from zoohub.training.data.classes import match_classes
from zoohub.training.data.pixels import Evaluation
from zoohub.training.data.reading import data_for, read_splits
from zoohub.training.data.samples import Samples, Splits
from zoohub.training.detection.reading import is_box_data
from zoohub.training.detection.recipe import BoxData
from zoohub.training.loop import EVALUATION_BATCH
from zoohub.training.metrics import Classification
from zoohub.training.recipe import Data, DigitsData


def evaluate(
    model: str | Path | nn.Cell,
    data: str | Path | Data | BoxData,
    *,
    batch_size: int = EVALUATION_BATCH,
    settings: Settings | None = None,
    mode: str | None = None,
) -> dict[str, Any]:
    """A network's results on pictures with labels, or a detector's on pictures with boxes.

    Args:
        model: a reference, a run's folder, a network from `zoohub.load`, or an .onnx or .mindir
            file that zoohub exported (what it says of itself gives input and class names).
        data: a folder a class, a .csv or .jsonl file, or `digits` (the held-out ones). Where it
            has parts, the test part counts, else the validation part; else all of it. For a
            detector: a data.yaml, a COCO .json file or `digit-scenes`.
        batch_size: pictures at a time.
        settings: zoohub's settings; None reads them.
        mode: `graph` or `pynative`; None is the process's own.

    Returns:
        `{count, loss, top1, top5, per_class, confusion, classes, skipped, warnings}`: `loss` in
        nats, accuracies 0 to 1, `top5` absent below six classes, `per_class` an accuracy (None
        without pictures) by name, `confusion` counts by label (rows) and prediction, `skipped`
        reasons by path of pictures that could not be read, `warnings` sentences about the data.
        For a detector, see `zoohub.training.detection.evaluating.evaluate_boxes`.

    Raises:
        DataError: the pictures cannot be read, or their classes are not the network's.
        UsageError: a batch of no pictures.
        As `zoohub.load` where `model` is a name.
    """
    if batch_size < 1:
        raise UsageError(f"batch_size {batch_size}: give a number of at least 1")
    if is_box_data(data):
        from zoohub.training.detection.evaluating import evaluate_boxes

        return evaluate_boxes(
            model,
            cast(Any, data),
            batch_size=batch_size,
            settings=settings or load_settings(),
            mode=mode,
        )
    predictor = open_predictor(model, settings or load_settings(), mode=mode)
    splits, samples = _samples(cast(Any, data))
    prepare = Evaluation(samples, predictor.input)
    classes = predictor.names
    if classes is None:
        first = prepare(0, np.random.default_rng(0))[None]
        classes = tuple(f"class {i}" for i in range(_logits(predictor, first).shape[1]))
    network = str(model) if isinstance(model, str | Path) else "the network"
    places = _places(splits, samples, predictor.names, len(classes), network)
    samples = replace(samples, labels=places[samples.labels])
    found, labels, skipped = [], [], dict(splits.skipped)
    size = min(batch_size, len(samples))
    for images, target in in_order(samples, prepare, size, note=skipped.setdefault):
        found.append(_logits(predictor, images))
        labels.append(target)
    if not found:
        reason = next(reversed(skipped.values()))
        raise DataError(f"none of the {len(samples)} pictures can be read: {reason}")
    logits = np.concatenate(found)
    if logits.shape[1] == 1001 and len(classes) == 1000:
        logits = logits[:, :1000]
    result = Classification(logits, np.concatenate(labels))
    return {
        **result.summary(classes),
        "confusion": result.confusion.tolist(),
        "classes": list(classes),
        "skipped": skipped,
        "warnings": list(splits.warnings),
    }


def _logits(predictor: Predictor, images: NDArray[Any]) -> NDArray[np.float32]:
    """The network's scores (N, classes).

    Raises:
        DataError: it gives something else, as a detector does.
    """
    outputs = predictor.runner.run(images)
    if predictor.task != CLASSIFICATION or outputs[0].ndim != 2:
        raise DataError(
            f"pictures with one label each measure a classifier; this network's task is "
            f"{predictor.task} (a detector wants pictures with boxes: a data.yaml or COCO .json)"
        )
    return outputs[0]


def _places(
    splits: Splits, samples: Samples, known: tuple[str, ...] | None, outputs: int, network: str
) -> NDArray[np.int64]:
    """The network's index of each class of the data, at least of those that `samples` have.

    Raises:
        DataError: as `match_classes`.
    """
    try:
        return match_classes(splits.classes, known, outputs, network)
    except DataError:
        if known is None:
            raise
    # A class that only parts not measured have is no reason to refuse.
    own = np.unique(samples.labels)
    places = np.full(len(splits.classes), -1, np.int64)
    places[own] = match_classes([splits.classes[i] for i in own], known, outputs, network)
    return places


def _samples(data: str | Path | Data) -> tuple[Splits, Samples]:
    if isinstance(data, str) and data == "digits" and not Path(data).exists():
        from zoohub.training.data.digits import heldout_digits

        digits = heldout_digits()
        none = digits.take([])
        return Splits(tuple("0123456789"), none, none, digits), digits
    wanted = data_for(data, validation=0.0)
    if not isinstance(wanted, DigitsData):
        wanted = replace(wanted, validation=0.0)
    splits = read_splits(wanted, evaluating=True)
    for part in (splits.test, splits.validation):
        if len(part):
            return splits, part
    return splits, splits.train
