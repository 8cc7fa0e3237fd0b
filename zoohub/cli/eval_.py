"""`zoohub eval`: how right a network is on pictures with labels."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from zoohub.cli.options import add_device_options
from zoohub.cli.output import Output

EXAMPLES = (
    "zoohub eval lenet5@digits --data digits",
    "zoohub eval yolov5n@digits --data digit-scenes",
    "zoohub eval yolov5s --data coco/annotations/instances_val2017.json",
    "zoohub eval runs/flowers --data flowers/val",
    "zoohub eval resnet50 --data imagenet/val --compare mobilenet_v2_100",
    "zoohub eval int8.onnx --data digits --compare lenet5@digits   # what 8 bits lost",
)

_TITLES = {
    "top1": "top-1",
    "top5": "top-5",
    "loss": "loss",
    "map": "mAP",
    "map50": "mAP@0.5",
    "map75": "mAP@0.75",
}


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
        help="a folder a class, a .csv or .jsonl, `digits`; boxes: a "
        "data.yaml, a COCO .json, `digit-scenes`",
    )
    parser.add_argument(
        "--compare", metavar="NAME", help="another one, side by side, and how far NAME is above it"
    )
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="at a time (64)")
    add_device_options(parser)


def run(options: argparse.Namespace, output: Output) -> int:
    """Print top-1, top-5 and each class's accuracy; of detectors, COCO's precisions."""
    from zoohub.api import settings_for
    from zoohub.pretrained import use_device
    from zoohub.training import evaluate

    settings = settings_for(device=options.device)
    use_device(settings)
    names = [options.name] + ([options.compare] if options.compare else [])
    results: list[dict[str, Any]] = []
    for name in names:
        found = evaluate(
            name,
            options.data,
            batch_size=options.batch_size,
            settings=settings,
            mode=options.mode,
        )
        results.append({"model": name, **found})
    for path, reason in results[0]["skipped"].items():
        output.error(f"left out: {path}: {reason}")
    # The same data is read for each name: what is said of it is said once.
    for warning in dict.fromkeys(w for result in results for w in result.get("warnings", ())):
        output.error(warning)
    if output.as_json:
        output.json(results)
    else:
        head = ["", *names, "difference"] if options.compare else ["", *names]
        output.table(head, rows_of(results))
    return 0


def rows_of(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """A row a figure; where there are two results, the first less the second stands behind."""
    rows = [["pictures", *(str(result["count"]) for result in results)]]
    if len(results) == 2:
        rows[0].append("")
    for key, title in _TITLES.items():
        if any(key in result for result in results):
            rows.append(_row(title, [result.get(key) for result in results]))
    per_class = [_class_figures(result["per_class"]) for result in results]
    for name in _shown_classes(per_class[0]):
        rows.append(_row(f"  {name}", [figures.get(name) for figures in per_class]))
    return rows


def _row(title: str, values: Sequence[float | None]) -> list[str]:
    row = [title, *(_figure(value) for value in values)]
    if len(values) == 2:
        first, second = values
        row.append("–" if first is None or second is None else f"{first - second:+.4f}")
    return row


def _class_figures(per_class: dict[str, Any]) -> dict[str, float | None]:
    """Each class's accuracy, or a detector's mAP@0.5."""
    return {
        name: value["map50"] if isinstance(value, dict) else value
        for name, value in per_class.items()
    }


def _shown_classes(per_class: dict[str, float | None]) -> list[str]:
    """The classes with pictures; of more than forty, the twenty weakest."""
    seen = {name: value for name, value in per_class.items() if value is not None}
    if len(seen) <= 40:
        return list(seen)
    return sorted(seen, key=lambda name: seen[name])[:20]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
