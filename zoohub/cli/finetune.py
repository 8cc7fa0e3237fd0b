"""`zoohub finetune`: adapt a network to pictures of your own."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Any

from zoohub.cli.options import add_device_options
from zoohub.cli.output import Output
from zoohub.errors import UsageError

if TYPE_CHECKING:
    from zoohub.training.loop import EpochReport, StepReport

EXAMPLES = (
    "zoohub finetune resnet50 --data flowers/ --epochs 5",
    "zoohub finetune mobilenet_v2_100 --data labels.csv --set augment.mixup=0.2",
    "zoohub finetune yolov5s --data scenes.yaml",
    "zoohub finetune runs/tools --resume",
    "zoohub finetune recipes/lenet5-digits.yaml --output runs/digits --workers 2",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub finetune`."""
    parser.add_argument(
        "name", nargs="?", metavar="NAME|RECIPE", help="a model, a run, or a recipe's file"
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        help="a folder a class, train/ and val/, or a .csv or .jsonl "
        "file; boxes: a data.yaml (YOLO) or .json (COCO)",
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="times through the data")
    parser.add_argument("--lr", type=float, metavar="RATE", help="learning rate, global batch")
    parser.add_argument("--batch-size", type=int, metavar="N", help="global: over all workers")
    parser.add_argument("--seed", type=int, metavar="N", help="of everything that is random")
    parser.add_argument("--output", metavar="DIR", help="the run's folder (runs/<data>)")
    parser.add_argument("--scratch", action="store_true", help="fresh weights, no checkpoint")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="any value of the recipe"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes here (1)")
    parser.add_argument(
        "--master", metavar="HOST[:PORT]", help="the first of several machines (port 8118)"
    )
    parser.add_argument("--nodes", type=int, default=1, metavar="N", help="how many machines (1)")
    parser.add_argument("--node-rank", type=int, metavar="I", help="which machine this is, from 0")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --output")
    add_device_options(parser)


def run(options: argparse.Namespace, output: Output) -> int:
    """Train; print the run's folder, or with --json its figures."""
    name = options.name or (options.resume and (options.output or options.data))
    if not name:
        raise UsageError("say what to train: a model, a run, or a recipe's file")
    from zoohub.api import settings_for
    from zoohub.pretrained import use_device
    from zoohub.training import finetune

    settings = settings_for(device=options.device)
    use_device(settings)
    assignments = list(options.set)
    if options.mode:
        assignments.append(f"mode={options.mode}")
    display = _Display(output)
    finished = finetune(
        name,
        options.data,
        output=options.output,
        checkpoint=None if options.scratch else "default",
        epochs=options.epochs,
        lr=options.lr,
        batch_size=options.batch_size,
        seed=options.seed,
        assignments=assignments,
        resume=options.resume,
        workers=options.workers,
        master=options.master,
        nodes=options.nodes,
        node_rank=options.node_rank,
        settings=settings,
        on_step=display.step,
        on_epoch=display.epoch,
        say=display.say,
    )
    display.close()
    if output.as_json:
        output.json([{"path": str(finished.path), "metrics": finished.metrics}])
        return 0
    if "top1" in finished.metrics:
        output.talk(f"top-1 {finished.metrics['top1']:.4f} on {finished.metrics['count']} pictures")
    if "map50" in finished.metrics:
        found = finished.metrics
        precisions = f"mAP@0.5 {found['map50']:.4f}, mAP {found['map']:.4f}"
        output.talk(f"{precisions} on {found['count']} pictures")
    if finished.net is None:  # the run is on the first of several machines
        return 0
    output.talk(f"report: {finished.path / 'report.html'}")
    output.talk(f"next: zoohub predict {shlex.quote(_as_path(finished.path))} PICTURE")
    output.data(str(finished.path))
    return 0


def _as_path(path: Any) -> str:
    text = str(path)
    return text if text.startswith(("/", ".", "~")) else f"./{text}"


class _Display:
    """A progress bar over the whole run on a terminal, else a line an epoch."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self._bar: Any = None

    def step(self, report: StepReport) -> None:
        if not self.output.progress:
            return
        right = f"accuracy {report.accuracy:.2f} " if hasattr(report, "accuracy") else ""
        figures = (
            f"epoch {report.epoch} loss {report.loss:.3f} {right}"
            f"{report.images_per_second:.0f} images/s"
        )
        if self._bar is None:
            from tqdm import tqdm

            # It begins after the first step, whose compiling says nothing of the others' speed.
            done = (report.epoch - 1) * report.steps + report.step
            total = report.epochs * report.steps
            self._bar = tqdm(total=total, initial=done, unit="step", leave=False)
            self._bar.set_postfix_str(figures)
        else:
            self._bar.set_postfix_str(figures, refresh=False)
            self._bar.update(1)

    def epoch(self, report: EpochReport) -> None:
        line = f"epoch {report.epoch}: loss {report.loss:.4f}"
        # A classifier's report has the first two, a detector's the third.
        for name, title in (
            ("accuracy", "accuracy"),
            ("validation_top1", "validation top-1"),
            ("validation_map50", "validation mAP@0.5"),
        ):
            value = getattr(report, name, None)
            line += f", {title} {value:.4f}" if value is not None else ""
        self.say(f"{line}, {report.seconds:.1f} s")

    def say(self, text: str) -> None:
        if self._bar is not None and not self.output.quiet:
            self._bar.write(text)
        else:
            self.output.talk(text)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
