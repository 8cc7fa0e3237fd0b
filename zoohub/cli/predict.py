"""`zoohub predict`: what a network finds, by its task."""

from __future__ import annotations

import argparse
import glob
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from zoohub.cli.options import (
    add_device_options,
    add_step_option,
    add_weights_options,
    steps_given,
    weights_options,
)
from zoohub.cli.output import Output
from zoohub.cli.predict_files import add_file_options, asked_file, followed
from zoohub.cli.predict_stream import Streamed
from zoohub.cli.several import PARTLY
from zoohub.core.paths import local_path
from zoohub.core.text_reader import is_file
from zoohub.core.values import check_values
from zoohub.errors import DataError, UsageError
from zoohub.inputs.text import Text
from zoohub.predicting import AnyPredictor, open_any, predict_inputs
from zoohub.predicting.documents import check_document, check_new, known_documents, written_to
from zoohub.predicting.drawings import check_drawing
from zoohub.predicting.formats import check_format, formatted, known_formats
from zoohub.predicting.known import check_options, known_of
from zoohub.predicting.remote import fetch_pictures, is_there
from zoohub.predicting.texts import check_texts
from zoohub.settings import settings_for
from zoohub.tasks.finding import all_options, all_tasks
from zoohub.tasks.options import command_options
from zoohub.tasks.results import AnyPrediction, Json

EXAMPLES = (
    "zoohub predict resnet50 cat.jpg --top 3",
    "zoohub predict yolov5 street.jpg --save found.jpg",
    "zoohub predict yolov5 'photos/*.jpg' --save found/ --json",
    "zoohub predict yolov8x_seg street.jpg --format coco",
    "zoohub predict resnet50 photos/ --csv found.csv --batch-size 8 --resume",
    "zoohub predict resnet50 photo.jpg --checkpoint my.ckpt --num-classes 7",
    "zoohub predict resnet50 https://example.org/cat.jpg",
    "zoohub predict transformer --text 'Good morning' --vocab vocab.bpe.32000",
    "zoohub predict emotect --text '今天真高兴' --vocab vocab.txt",
    "zoohub predict bert_base_chinese --text '今天[MASK]气真好' --vocab vocab.txt",
    "zoohub predict bertfinetune_squad --text 'It was built in 1889.' --question 'When?' "
    "--vocab vocab.txt",
    "zoohub predict bert_base_uncased --task text-embedding --text 'A cat' --vocab vocab.txt",
    "zoohub predict ocr page.png --save lines.png",
    "zoohub predict ocr scan.pdf --hocr scan.hocr",
    "zoohub predict ocr page.png --set detection=psenet_resnet50 --json",
    "zoohub predict transformer tokens.jsonl --csv translations.csv",
    "zoohub predict gpt2@mindnlp --text 'Once upon' --vocab tokenizer.json --top-p 0.9 --seed 1",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub predict`."""
    parser.add_argument(
        "name",
        metavar="NAME|RUN|FILE",
        help="a model, a pipeline, a checkpoint, a run's folder, an exported .onnx or .mindir "
        "file, or an exported pipeline's .json",
    )
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="image files, folders, globs, URLs; of a text network .txt (a text a line) and .jsonl "
        'files (a line `{"text": …}`, or token ids: `[4, 17]`), `-` for standard input',
    )
    parser.add_argument(
        "--text", action="append", default=[], metavar="STRING", help="a text; may be repeated"
    )
    add_step_option(parser)
    parser.add_argument(
        "--batch-size",
        type=int,
        metavar="N",
        help="inputs at a time (of pictures by onnxruntime what suits their size, else 1)",
    )
    add_file_options(parser.add_argument_group("results"))
    add_weights_options(parser)
    add_device_options(parser, engine=True)
    parser.set_defaults(save=None, format=None, documents=(), task=None, task_options=())


def add_task_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the tasks say of themselves, for which all of them are imported."""
    titles = "; ".join(task.title for task in all_tasks())
    parser.description = f"Run a network for what it was made: {titles}."
    group = parser.add_argument_group("what some networks take")
    whole = "; ".join(f"{task.name} ({task.title})" for task in all_tasks() if task.headless)
    group.add_argument(
        "--task",
        metavar="TASK",
        help=f"ask another task than its own, which leaves the network's head out: {whole}",
    )
    declared = command_options(all_options())
    for option in declared:
        group.add_argument(
            f"--{option.name.replace('_', '-')}",
            type=option.kind,
            metavar=option.metavar,
            help=option.help,
        )
    results = parser.add_argument_group("results of some networks")
    drawn = " or ".join(task.drawings for task in all_tasks() if task.drawings)
    results.add_argument(
        "--save", metavar="FILE", help=f"draw {drawn}: a file, or a folder for several inputs"
    )
    results.add_argument(
        "--format",
        choices=known_formats(),
        help="print JSON in a form that other programs take: coco's results of detections",
    )
    documents = known_documents()
    for name, document in documents.items():
        results.add_argument(f"--{name}", metavar="FILE", help=document.says)
    parser.set_defaults(
        documents=tuple(documents), task_options=tuple(option.name for option in declared)
    )


def run(options: argparse.Namespace, output: Output) -> int:
    """Print what is found in each input; exit code 3 where some could not be read."""
    if not options.inputs and not options.text:
        raise UsageError("there is nothing to predict: name an INPUT, or give --text")
    if not options.text and not any(
        name == "-" or glob.has_magic(name) or is_there(name) for name in options.inputs
    ):
        # Said before a network is fetched and loaded for nothing.
        raise DataError("; ".join(f"{name}: there is no such file" for name in options.inputs))
    settings = settings_for(device=options.device, engine=options.engine)
    given = {name: getattr(options, name) for name in options.task_options}
    check_values({"batch_size": options.batch_size})
    request = weights_options(options, output)
    check_options(options.name, given, settings, options.task)  # before a network is fetched
    documents, steps = _documents(options), steps_given(options)
    if documents or options.format is not None or options.save is not None:
        # Said before a network is fetched.
        task = known_of(options.name, settings, options.task).task
        for name in documents:
            check_document(task, name)
            if options.resume:
                raise UsageError(f"--{name} is written whole: leave --resume out")
            check_new(local_path(documents[name]))
        if options.format is not None:
            check_format(task, options.format)
        if options.save is not None:
            check_drawing(task)
    asked = asked_file(options, given, settings, steps)
    vocab = given.get("vocab")
    if vocab is not None and not is_file(local_path(vocab)):
        raise DataError(f"{vocab}: there is no such file")
    if options.text or vocab is not None:
        text, own = (options.text or [None])[0], request.own_weights is not None
        check_texts(options.name, text, settings, given, own=own, task=options.task)
    inputs: object = None
    if options.inputs:
        inputs = fetch_pictures(options.inputs, settings)  # before a network, which is larger
    predictor = open_any(
        options.name,
        settings,
        mode=options.mode,
        request=request,
        steps=steps,
        task=options.task,
    )
    if predictor.task.kind == "text":
        inputs = _texts(options)
    # Not before there is a network that can fill it.
    file = asked.open() if asked else None
    told = not (options.format or output.as_json or file or documents)
    streamed = Streamed(output)
    pieces = {}
    if predictor.task.streams and told and options.batch_size in (None, 1):
        pieces = {"on_text": streamed.tell}
    predictions = predict_inputs(
        predictor,
        inputs,
        {**given, **pieces},
        batch_size=options.batch_size,
        save=options.save,
        done=file.done if file else None,
    )
    counts = {True: 0, False: 0}

    def counted() -> Iterator[AnyPrediction]:
        for prediction in _written(followed(predictions, file, output), documents):
            counts[prediction.error is None] += 1
            if prediction.error is not None:
                output.error(prediction.error)
            yield prediction

    if options.format is not None or output.as_json:
        output.json(_rows(predictor, counted(), options.format))
    else:
        for prediction in counted():
            shown = streamed.end() or not told
            for line in () if shown else lines_of(predictor, prediction):
                output.data(line)
    for path in documents.values():
        output.talk(f"written to {path}")
    if options.save is not None and not told and not output.as_json and counts[True]:
        output.talk(f"drawn in {options.save}")
    if counts[False]:
        return PARTLY if counts[True] else 1
    return 0


def _documents(options: argparse.Namespace) -> dict[str, str]:
    """The documents that are asked for, and the file of each."""
    paths = {name: getattr(options, name) for name in options.documents}
    return {name: path for name, path in paths.items() if path is not None}


def _written(
    predictions: Iterator[AnyPrediction], documents: Mapping[str, str]
) -> Iterator[AnyPrediction]:
    """The predictions, on their way written into each document."""
    with ExitStack() as opened:
        for name, path in documents.items():
            writing = written_to(predictions, known_documents()[name], local_path(path))
            predictions = opened.enter_context(writing)
        yield from predictions


def _rows(
    predictor: AnyPredictor, predictions: Iterable[AnyPrediction], format: str | None
) -> Iterator[Json]:
    """Predictions as JSON: one an input, or in a form with rows of its own."""
    for prediction in predictions:
        if format is None:
            yield prediction.to_json()
        elif prediction.error is None:
            yield from formatted(predictor, prediction, format)


def lines_of(predictor: AnyPredictor, prediction: AnyPrediction) -> list[str]:
    """A prediction as text: the input's name, then what the task tells of its results."""
    if prediction.error is not None:
        return []
    told = predictor.task.lines(prediction.predictions)
    lines = [prediction.input, *(f"  {line}" for line in told)]
    if prediction.saved is not None:
        lines.append(f"  drawn in {prediction.saved}")
    return lines


def _texts(options: argparse.Namespace) -> list[object]:
    """The inputs of a network that reads text; what is no `--text` is a file."""
    files: list[object] = []
    for name in options.inputs:
        found = [] if is_file(name) else sorted(glob.glob(os.path.expanduser(name)))  # noqa: PTH207,PTH111
        files += [sys.stdin.buffer] if name == "-" else map(Path, found or [name])
    return [*files, *map(Text, options.text)]
