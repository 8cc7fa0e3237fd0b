"""`zoohub eval`: how good a network is on data of which the truth is known."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from zoohub.cli.options import (
    add_device_options,
    add_weights_options,
    data_help,
)
from zoohub.cli.output import Output
from zoohub.cli.several import PARTLY
from zoohub.tasks.contract import AnyTask
from zoohub.tasks.finding import all_tasks, learning_tasks
from zoohub.tasks.samples import left_out

EXAMPLES = (
    "zoohub eval lenet5@digits --data digits",
    "zoohub eval yolov5n@digits --data digit-scenes",
    "zoohub eval yolov5s --data coco/annotations/instances_val2017.json",
    "zoohub eval runs/flowers --data flowers/val",
    "zoohub eval resnet50 --data imagenet/val --compare mobilenet_v2_100",
    "zoohub eval resnet50 --checkpoint my.ckpt --num-classes 7 --data flowers/val",
    "zoohub eval int8.onnx --data digits --compare lenet5@digits   # what 8 bits lost",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub eval`."""
    parser.add_argument(
        "name",
        metavar="NAME|RUN|FILE",
        help="a model, a checkpoint, a run's folder, or an exported .onnx or .mindir file",
    )
    parser.add_argument(
        "--data",
        required=True,
        metavar="DIR",
        help=data_help(),
    )
    parser.add_argument(
        "--compare", metavar="NAME", help="another one, side by side, and how far NAME is above it"
    )
    parser.add_argument(
        "--batch-size", type=int, default=64, metavar="N", help="samples at a time (64)"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="data.KEY=VALUE",
        help="how the data is read, as a recipe says it (data.vocab=FILE); may be given again",
    )
    add_weights_options(parser)
    add_device_options(parser, engine=True)


def run(options: argparse.Namespace, output: Output) -> int:
    """Print the task's figures and those of each class; exit code 3 where some samples could not
    be read."""
    from zoohub.predicting.measuring import evaluate
    from zoohub.settings import settings_for

    settings = settings_for(device=options.device, engine=options.engine)
    names = [options.name] + ([options.compare] if options.compare else [])
    results: list[dict[str, Any]] = []
    for name in names:
        own = name is names[0]  # the weights given are NAME's, not those it is compared with
        found = evaluate(
            name,
            options.data,
            batch_size=options.batch_size,
            assignments=options.set,
            checkpoint=options.checkpoint if own else None,
            parameters=options.parameters if own else None,
            num_classes=options.num_classes if own else None,
            ema=options.ema and own,
            settings=settings,
            mode=options.mode,
            progress=not output.quiet,
            force=options.force,
        )
        output.detail(f"{name}: {found['engine']} computes")
        results.append({"model": name, **found})
    for path, reason in results[0]["skipped"].items():
        output.error(f"left out: {left_out(path, reason)}")
    # The same data is read for each name: what is said of it is said once.
    for warning in dict.fromkeys(w for result in results for w in result.get("warnings", ())):
        output.error(warning)
    if output.as_json:
        output.json(results)
    else:
        head = ["", *names, "difference"] if options.compare else ["", *names]
        output.table(head, rows_of(results))
    return PARTLY if results[0]["skipped"] else 0


def rows_of(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """A row a figure; where there are two results, the first less the second stands behind."""
    # Several tasks have a figure of one key; whose most are there, theirs are the words.
    owner = max(learning_tasks(), key=lambda task: _figures_in(results[0], task))
    rows = [[owner.samples, *(str(result["count"]) for result in results)]]
    if len(results) == 2:
        rows[0].append("")
    figures = [figure for task in (*all_tasks(), owner) for figure in task.figures]
    titles = {figure.key: figure.title for figure in figures}
    for key, title in titles.items():
        if any(key in result for result in results):
            rows.append(_row(title, [result.get(key) for result in results]))
    per_class = [_class_figures(result["per_class"]) for result in results]
    for name in _shown_classes(per_class[0]):
        rows.append(_row(f"  {name}", [figures.get(name) for figures in per_class]))
    return rows


def _figures_in(result: dict[str, Any], task: AnyTask) -> int:
    """How many of the task's figures a result has, where it has the chief one; else none."""
    if task.headline[0] not in result:
        return 0
    return sum(figure.key in result for figure in task.figures)


def _row(title: str, values: Sequence[float | None]) -> list[str]:
    row = [title, *(_figure(value) for value in values)]
    if len(values) == 2:
        first, second = values
        row.append("–" if first is None or second is None else f"{first - second:+.4f}")
    return row


def _class_figures(
    per_class: Mapping[str, float | dict[str, float | None] | None],
) -> dict[str, float | None]:
    """Each class's one figure; of several the one that is said of a run, else the first."""
    heads = [task.headline[0] for task in learning_tasks()]

    def figure(value: float | dict[str, float | None] | None) -> float | None:
        if not isinstance(value, dict):
            return value
        return next((value[key] for key in heads if key in value), next(iter(value.values())))

    return {name: figure(value) for name, value in per_class.items()}


def _shown_classes(per_class: dict[str, float | None]) -> list[str]:
    """The classes with pictures; of more than forty, the twenty weakest."""
    seen = {name: value for name, value in per_class.items() if value is not None}
    if len(seen) <= 40:
        return list(seen)
    return sorted(seen, key=lambda name: seen[name])[:20]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
