"""`zoohub predict`: classify pictures, or detect objects in them."""

from __future__ import annotations

import argparse
import glob
from collections.abc import Iterator
from pathlib import Path

from zoohub.api import settings_for
from zoohub.cli.options import add_device_options
from zoohub.cli.output import Output
from zoohub.cli.several import PARTLY
from zoohub.errors import DataError
from zoohub.inference import Prediction
from zoohub.predicting import open_predictor, predict_with

EXAMPLES = (
    "zoohub predict resnet50 cat.jpg --top 3",
    "zoohub predict yolov5 street.jpg --save found.jpg",
    "zoohub predict yolov5 'photos/*.jpg' --save found/ --json",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub predict`."""
    parser.add_argument(
        "name",
        metavar="NAME|RUN|FILE",
        help="a model, a checkpoint, a run's folder, or an exported .onnx or .mindir file",
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="image files, folders, globs")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="labels a picture (5)")
    parser.add_argument(
        "--threshold", type=float, metavar="P", help="least score shown (0.25 for detections)"
    )
    parser.add_argument(
        "--save", metavar="FILE", help="draw detections: a file, or a folder for several inputs"
    )
    parser.add_argument("--batch-size", type=int, default=1, metavar="N", help="at a time (1)")
    add_device_options(parser)


def run(options: argparse.Namespace, output: Output) -> int:
    """Print what each picture shows; exit code 3 where some could not be read."""
    if not any(glob.has_magic(name) or Path(name).exists() for name in options.inputs):
        # Said before a network is fetched and loaded for nothing.
        raise DataError("; ".join(f"{name}: there is no such file" for name in options.inputs))
    settings = settings_for(device=options.device)
    predictor = open_predictor(
        options.name, settings, mode=options.mode, show_progress=not output.quiet
    )
    predictions = predict_with(
        predictor,
        options.inputs,
        top=options.top,
        threshold=options.threshold,
        batch_size=options.batch_size,
        save=options.save,
    )
    counts = {True: 0, False: 0}

    def counted() -> Iterator[Prediction]:
        for prediction in predictions:
            counts[prediction.error is None] += 1
            if prediction.error is not None:
                output.error(prediction.error)
            yield prediction

    if output.as_json:
        output.json(prediction.to_json() for prediction in counted())
    else:
        for prediction in counted():
            for line in lines_of(prediction):
                output.data(line)
    if counts[False]:
        return PARTLY if counts[True] else 1
    return 0


def lines_of(prediction: Prediction) -> list[str]:
    """A prediction as text: the input's name, then a label a line."""
    if prediction.error is not None:
        return []
    lines = [prediction.input]
    for label in prediction.predictions:
        line = f"  {label.score:6.1%}  {label.label}"
        if label.box is not None:
            line += "  at " + ", ".join(f"{value:.0f}" for value in label.box)
        lines.append(line)
    if not prediction.predictions:
        lines.append("  nothing found")
    if prediction.saved is not None:
        lines.append(f"  drawn in {prediction.saved}")
    return lines
