"""`zoohub finetune`: adapt a network to data of your own."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from zoohub.cli.hints import as_name, predict_command
from zoohub.cli.options import add_device_options, add_force, data_help, path
from zoohub.cli.output import Output
from zoohub.core.counting import counted
from zoohub.errors import UsageError
from zoohub.tasks.finding import task_for

if TYPE_CHECKING:
    from zoohub.training.reports import EpochReport, StepReport
    from zoohub.training.run import Run

EXAMPLES = (
    "zoohub finetune resnet50 --data flowers/ --epochs 5",
    "zoohub finetune mobilenet_v2_100 --data labels.csv --set augment.mixup=0.2",
    "zoohub finetune yolov5s --data scenes.yaml",
    "zoohub finetune resnet50 --data flowers/ --freeze backbone   # minutes: only the head learns",
    "zoohub finetune resnet50 --data flowers/ --checkpoint my.ckpt --ema",
    "zoohub finetune runs/tools --resume",
    "zoohub finetune runs/tools --resume --epochs 20   # so many in all, after it had fewer",
    "zoohub finetune resnet50 --data flowers/ --set early_stopping=5 --set class_weights=balanced",
    "zoohub finetune recipes/lenet5-digits.yaml --output runs/digits --workers 2",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `zoohub finetune`."""
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME|RUN|RECIPE",
        help="a model, a run's folder, or a recipe's .yaml file",
    )
    parser.add_argument("--data", metavar="DIR", help=data_help())
    parser.add_argument("--output", metavar="DIR", help="the run's folder (runs/<data>)")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in RUN or --output; with --epochs, for so many in all",
    )
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="event files in the run's folder (pip install 'zoohub[tensorboard]')",
    )
    _add_start(parser.add_argument_group("what it starts from"))
    _add_recipe(parser.add_argument_group("the recipe (what is not given follows from the data)"))
    _add_machines(parser.add_argument_group("several processes and machines"))
    add_device_options(parser)


def _add_start(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--checkpoint", type=path, metavar="FILE", help="your own weights for NAME's network"
    )
    group.add_argument(
        "--ema", action="store_true", help="the moving average that the file has of its weights"
    )
    group.add_argument("--scratch", action="store_true", help="fresh weights, no checkpoint")
    add_force(group)


def _add_recipe(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--epochs", type=int, metavar="N", help="times through the data")
    group.add_argument("--lr", type=float, metavar="RATE", help="learning rate of a whole batch")
    group.add_argument(
        "--batch-size", type=int, metavar="N", help="samples a step, over all workers together"
    )
    group.add_argument(
        "--freeze",
        choices=("backbone",),
        help="train the head alone, on what the rest gives for each picture, computed once",
    )
    group.add_argument(
        "--views", type=int, metavar="K", help="with --freeze: K random variants a picture (1)"
    )
    group.add_argument("--seed", type=int, metavar="N", help="of all that is random (0)")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other value, by its name in the run's recipe.yaml; may be given again",
    )


def _add_machines(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--workers", type=int, default=1, metavar="N", help="processes here (1)")
    group.add_argument("--nodes", type=int, default=1, metavar="N", help="how many machines (1)")
    group.add_argument("--node-rank", type=int, metavar="I", help="which machine this is, from 0")
    group.add_argument(
        "--master", metavar="HOST[:PORT]", help="the first of the machines (port 8118)"
    )


def run(options: argparse.Namespace, output: Output) -> int:
    """Train; print the run's folder, or with --json its figures."""
    name = options.name or (options.resume and (options.output or options.data))
    if not name:
        raise UsageError("say what to train: a model, a run, or a recipe's file")
    if options.scratch and options.checkpoint is not None:
        raise UsageError("--scratch and --checkpoint exclude each other; give one of them")
    if options.scratch and options.ema:
        raise UsageError("--scratch and --ema exclude each other: fresh weights have no average")
    from zoohub.models.pretrained import use_device
    from zoohub.settings import settings_for
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
        checkpoint=options.checkpoint or (None if options.scratch else "default"),
        ema=options.ema,
        epochs=options.epochs,
        lr=options.lr,
        batch_size=options.batch_size,
        seed=options.seed,
        freeze=options.freeze,
        views=options.views,
        assignments=assignments,
        resume=options.resume,
        workers=options.workers,
        master=options.master,
        nodes=options.nodes,
        node_rank=options.node_rank,
        settings=settings,
        force=options.force,
        on_step=display.step,
        on_epoch=display.epoch,
        say=display.say,
        tensorboard=options.tensorboard,
    )
    display.close()
    if output.as_json:
        output.json([{"path": str(finished.path), "metrics": finished.metrics}])
        return 0
    if finished.net is None:  # the run is on the first of several machines
        return 0
    if "count" in finished.metrics:
        output.talk(headline(finished))
    output.talk(f"report: {finished.path / 'report.html'}")
    made = finished.net.zoohub
    task = task_for(made.entry.task, made.network)
    given = "PICTURE" if task.kind == "picture" else "FILE"
    run = as_name(finished.path)
    output.talk(f"next: {predict_command(run, given, task, made.input)}")
    output.data(str(finished.path))
    return 0


def headline(run: Run) -> str:
    """The figures that the run's task puts first."""
    made = run.net.zoohub
    task, metrics = task_for(made.entry.task, made.network), run.metrics
    others = [task.instead[key] for key in task.headline if key in task.instead]
    keys = [*task.headline, *(key for key in others if key in metrics)]
    told = [f"{task.figure(key).title} {metrics[key]:.4f}" for key in keys]
    return f"{', '.join(told)} on {counted(metrics['count'], task.sample)}"


class _Display:
    """A progress bar over the whole run on a terminal, else a line an epoch."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self._bar: Any = None

    def step(self, report: StepReport) -> None:
        if not self.output.progress:
            return
        own = "".join(f"{name} {value:.2f} " for name, value in report.figures.items())
        figures = (
            f"epoch {report.epoch} loss {report.loss:.3f} {own}"
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
        title, value = report.headline
        told = {**report.training, f"validation {title}": value}
        line += "".join(f", {k} {v:.4f}" for k, v in told.items() if v is not None)
        self.say(f"{line}, {report.seconds:.1f} s")

    def say(self, text: str) -> None:
        if self._bar is not None and not self.output.quiet:
            self._bar.write(text)
        else:
            self.output.talk(text)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
