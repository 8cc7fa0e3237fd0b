"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.errors import UsageError
from zoohub.settings import ENGINES, device_name

if TYPE_CHECKING:
    from zoohub.cli.output import Output
    from zoohub.models.request import LoadRequest


def add_device_options(parser: argparse.ArgumentParser, *, engine: bool = False) -> None:
    """`--device` and `--mode`, where a network runs; and `--engine`, where it predicts."""
    group = parser.add_argument_group("where it runs")
    group.add_argument("--device", type=device, metavar="DEVICE", help="cpu, ascend or ascend:N")
    group.add_argument(
        "--mode", choices=("graph", "pynative"), help="how MindSpore runs the network"
    )
    if engine:
        group.add_argument(
            "--engine",
            choices=ENGINES,
            help="what computes; auto: onnxruntime on a CPU where it is installed, else MindSpore",
        )


def add_weights_options(parser: argparse.ArgumentParser) -> None:
    """Weights of one's own, as `zoohub.load(checkpoint=…)` has them, and what goes with them."""
    group = parser.add_argument_group("weights")
    group.add_argument(
        "--checkpoint", type=path, metavar="FILE", help="your own, for NAME's network"
    )
    group.add_argument(
        "--parameters",
        metavar="SCHEME",
        help="FILE's naming scheme (mindcv, torchvision, …), or a prefix ending in a dot",
    )
    group.add_argument(
        "--num-classes", type=count(1), metavar="N", help="how many classes FILE's head has"
    )
    group.add_argument(
        "--ema", action="store_true", help="the moving average that the file has of its weights"
    )
    add_force(group)


def add_force(parser: argparse._ActionsContainer) -> None:
    """`--force`, where a network is loaded."""
    parser.add_argument(
        "--force", action="store_true", help="load what is larger than this machine's memory"
    )


def weights_options(options: argparse.Namespace, output: Output) -> LoadRequest:
    """What these options ask for. Raises UsageError where they do not go together."""
    from zoohub.models.request import weights_request

    return weights_request(
        options.checkpoint,
        options.parameters,
        num_classes=options.num_classes,
        ema=options.ema,
        force=options.force,
        progress=not output.quiet,
    )


def add_step_option(parser: argparse.ArgumentParser) -> None:
    """Declare `--set`, which exchanges a pipeline's networks."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="STEP=NAME",
        help="another network in the place of a pipeline's step: detection=psenet_resnet50",
    )


def steps_given(options: argparse.Namespace) -> dict[str, object]:
    """What `--set` says.

    Raises:
        UsageError: it names no step and network, or a step twice.
    """
    steps: dict[str, object] = {}
    for assignment in options.set:
        step, equals, name = assignment.partition("=")
        if not (step and equals and name):
            raise UsageError(f"--set {assignment}: write STEP=NAME, as in detection=dbnet_resnet50")
        if step in steps:
            raise UsageError(f"--set {step}= is given twice; one network does a step")
        steps[step] = name
    return steps


def path(text: str) -> Path:
    """A path; `~` is the home folder also where the shell left it (`--output=~/x`)."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise argparse.ArgumentTypeError(f"{text!r}: there is no such home folder") from None


def data_help() -> str:
    """What `--data` may be, by task."""
    from zoohub.tasks.finding import learning_tasks

    told = (f"to {t.title}: {', '.join(r.says for r in t.readers)}" for t in learning_tasks())
    return "what NAME's task reads; " + "; ".join(told)


def device(text: str) -> str:
    """A device, by the rule of `ZOOHUB_DEVICE`."""
    try:
        return device_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no device: {error}") from None


def count(low: int = 1, high: int | None = None) -> Callable[[str], int]:
    """A whole number from `low` to `high`, as the type of an option."""
    expected = (
        f"from {low} to {high}" if high is not None else f"of at least {low}, in 15 digits or fewer"
    )

    def parse(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1
        if number < low or (high is not None and number > high):
            raise argparse.ArgumentTypeError(f"{text!r}: write a whole number {expected}")
        return number

    return parse


jobs = count(1, 64)
