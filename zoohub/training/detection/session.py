"""From a detector's recipe to everything its run needs, and the run itself, in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mindspore import nn

from zoohub.errors import DataError
from zoohub.inference.runner import CellRunner
from zoohub.manifest.entry import InputContract
from zoohub.settings import Settings, load_settings
from zoohub.training.data.batches import Note, Plan
from zoohub.training.detection.evaluation import evaluate_detection
from zoohub.training.detection.loop import BoxHooks, BoxProgress, run_detection
from zoohub.training.detection.loss import BoxLoss, FlatMaps, head_of, start_head
from zoohub.training.detection.reading import read_boxes
from zoohub.training.detection.recipe import DetectionRecipe
from zoohub.training.detection.samples import BoxSamples, BoxSplits
from zoohub.training.fitting import Say, Workers, check_batch, fit, make_trainer, starting_network
from zoohub.training.start import Start, find_start
from zoohub.training.trainer import Arrays, Trainer, put_weights


@dataclass(frozen=True)
class DetectionSession:
    """A run made ready: the recipe spelled out, its pictures and what it starts from."""

    recipe: DetectionRecipe
    splits: BoxSplits
    start: Start
    workers: Workers

    def noting(self, say: Say = lambda text: None) -> Note:
        """What counts a picture that turned out unreadable, and says so the first time."""

        def note(name: str, reason: str) -> None:
            if name not in self.splits.skipped:
                self.splits.skipped[name] = reason
                say(f"left out: {reason}")

        return note


@dataclass(frozen=True)
class TrainedDetector:
    """A finished run in memory: the network in evaluation mode with its final weights.

    `test` holds the figures on the test part, None where there is none.
    """

    net: nn.Cell
    weights: Arrays
    session: DetectionSession
    progress: BoxProgress
    test: dict[str, Any] | None


def open_detection(
    recipe: DetectionRecipe,
    settings: Settings | None = None,
    workers: Workers | None = None,
    splits: BoxSplits | None = None,
) -> DetectionSession:
    """Read the recipe's data and resolve its model; downloads weights where it starts from some.

    `splits` is the data, where it has been read already.

    Raises:
        RecipeError, DataError: the recipe or its data are not usable.
        UnknownModel, NetworkNotAvailable, DownloadError: as `zoohub.load`.
    """
    workers = workers or Workers()
    check_batch(recipe, workers)
    splits = splits or read_boxes(recipe.data)
    recipe, start = find_start(recipe, settings or load_settings())
    return DetectionSession(recipe, splits, start, workers)


def build_detector(session: DetectionSession, say: Say = lambda text: None) -> nn.Cell:
    """The network with its starting weights and a head for the data's classes."""
    classes, start = session.splits.classes, session.start
    net, fresh = starting_network(session.recipe, start, classes, say)
    if fresh:
        start_head(net, len(classes), _size(start.contract))
    return net


def build_detection_trainer(session: DetectionSession, net: nn.Cell, plan: Plan) -> Trainer:
    """The trainer of `net` with YOLOv5's loss."""
    recipe, start = session.recipe, session.start
    head, size = head_of(net), _size(start.contract)
    weights = recipe.loss.scaled(size, len(session.splits.classes), len(head.strides))
    loss = BoxLoss(
        head.anchors.asnumpy(), head.strides, size, weights, recipe.label_smoothing, plan.workers
    )
    return make_trainer(net, recipe, start, plan, trains=FlatMaps(net), loss=loss)


def run_detection_session(
    session: DetectionSession,
    hooks: BoxHooks,
    *,
    load: Callable[[], tuple[Arrays, BoxProgress] | None] = lambda: None,
    say: Say = lambda text: None,
) -> tuple[nn.Cell, Trainer, BoxProgress]:
    """Train to the end; `load` gives a saved state to continue from, or None.

    A batch too large for the memory is computed in parts, see `fit`.

    Raises:
        CheckpointMismatch: the saved state is another run's.
    """
    net = build_detector(session, say)

    def go_on(trainer: Trainer, plan: Plan, progress: BoxProgress) -> BoxProgress:
        return run_detection(
            trainer,
            net,
            session.recipe,
            session.splits,
            session.start.contract,
            plan=plan,
            progress=progress,
            hooks=hooks,
            note=session.noting(say),
        )

    trainer, progress = fit(
        session.recipe,
        session.workers,
        len(session.splits.train),
        make=lambda plan: build_detection_trainer(session, net, plan),
        run=go_on,
        begin=BoxProgress,
        load=load,
        say=say,
    )
    return net, trainer, progress


def train_detector(
    recipe: DetectionRecipe, hooks: BoxHooks | None = None, settings: Settings | None = None
) -> TrainedDetector:
    """Run `recipe` from its first step to its last, in this process and without a folder.

    Raises:
        As `open_detection`.
    """
    session = open_detection(recipe, settings)
    kept: dict[str, Arrays] = {}
    inner = hooks or BoxHooks()

    def keep(name: str, arrays: Arrays) -> None:
        kept[name] = arrays
        if inner.keep:
            inner.keep(name, arrays)

    net, trainer, progress = run_detection_session(session, dataclasses.replace(inner, keep=keep))
    weights = kept.get(session.recipe.keep, kept["last"])
    put_weights(trainer.parameters, weights)
    net.set_train(False)
    test = evaluate_part(net, session, session.splits.test)
    return TrainedDetector(net, weights, session, progress, test)


def evaluate_part(
    net: nn.Cell,
    session: DetectionSession,
    samples: BoxSamples,
    say: Say = lambda text: None,
) -> dict[str, Any] | None:
    """The network's figures on `samples`; None where they have no boxes.

    Pictures that cannot be read are left out, and counted in the session's `splits`.
    """
    if not samples.box_count:
        return None
    contract, classes = session.start.contract, session.splits.classes
    note = session.noting(say)
    return evaluate_detection(CellRunner(net), samples, contract, classes, note=note)


def _size(contract: InputContract) -> tuple[int, int]:
    if contract.size is None:
        raise DataError("the size of the network's input is not known: give the recipe an `input`")
    return contract.size
