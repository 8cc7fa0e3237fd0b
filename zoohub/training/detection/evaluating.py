"""`zoohub.evaluate` for detectors: from names and files to COCO's figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mindspore import nn

from zoohub.predicting import open_predictor
from zoohub.settings import Settings
from zoohub.training.data.classes import match_classes
from zoohub.training.data.digits import heldout_digits
from zoohub.training.detection.evaluation import CONFIDENCE, evaluate_detection
from zoohub.training.detection.reading import box_data_for, read_boxes
from zoohub.training.detection.recipe import BoxData, BoxesData, ScenesData
from zoohub.training.detection.samples import BoxSamples, BoxSplits, as_boxes
from zoohub.training.detection.scenes import CLASSES, make_scenes


def evaluate_boxes(
    model: str | Path | nn.Cell,
    data: str | Path | BoxData,
    *,
    batch_size: int,
    settings: Settings,
    mode: str | None = None,
) -> dict[str, Any]:
    """A detector's precision, by COCO's protocol, on pictures with boxes.

    Args:
        model: a reference, a run's folder, a network from `zoohub.load`, or an .onnx or .mindir
            file that zoohub exported, with decoding, without it, or with NMS of its own.
        data: a data.yaml, a COCO .json file or `digit-scenes` (the held-out ones). Where it has
            parts, the test part counts, else the validation part; else all of it.
        batch_size: pictures at a time.
        settings: zoohub's settings.
        mode: `graph` or `pynative`; None is the process's own.

    Returns:
        What `evaluate_detection` does, with `classes` (the network's names), `skipped` (reasons by
        path of pictures left out) and `warnings`.

    Raises:
        DataError: the data cannot be read, or their classes are not the network's.
        ZoohubError: pycocotools is not installed.
    """
    predictor = open_predictor(model, settings, mode=mode)
    splits, samples = _part(box_data_for(data) if isinstance(data, str | Path) else data)
    classes = predictor.names or splits.classes
    network = str(model) if isinstance(model, str | Path) else "the network"
    places = match_classes(splits.classes, classes, len(classes), network)
    samples = renumbered(samples, places)
    figures = evaluate_detection(
        predictor.runner,
        samples,
        predictor.input,
        classes,
        batch_size=batch_size,
        note=splits.skipped.setdefault,
    )
    warnings = list(splits.warnings)
    if predictor.confidence is not None and predictor.confidence > CONFIDENCE:
        warnings.append(
            f"the file's own NMS leaves out boxes that score below {predictor.confidence:g}, which "
            f"COCO's protocol counts (from {CONFIDENCE:g}): its precision is lower than the "
            "network's; export without --nms to measure that"
        )
    return {
        **figures,
        "classes": list(classes),
        "skipped": dict(splits.skipped),
        "warnings": warnings,
    }


def renumbered(samples: BoxSamples, places: Sequence[int] | np.ndarray[Any, Any]) -> BoxSamples:
    """The samples with class i as class `places[i]`."""

    def moved(boxes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        numbers = np.asarray(places)[boxes[:, 0].astype(np.int64)]
        return as_boxes(np.concatenate([numbers[:, None], boxes[:, 1:]], axis=1))

    return replace(
        samples,
        boxes=[moved(boxes) for boxes in samples.boxes],
        crowds=[moved(boxes) for boxes in samples.crowds],
    )


def _part(data: BoxData) -> tuple[BoxSplits, BoxSamples]:
    if isinstance(data, ScenesData):  # the held-out digits come with zoohub
        scenes = make_scenes(heldout_digits(), "test", data.test, data.size)
        none = scenes.take([])
        return BoxSplits(CLASSES, none, none, scenes), scenes
    assert isinstance(data, BoxesData)
    splits = read_boxes(replace(data, validation=0.0), training=False)
    for part in (splits.test, splits.validation):
        if len(part):
            return splits, part
    return splits, splits.train
