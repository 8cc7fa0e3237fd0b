"""A detector's training run: steps, epochs, averaged weights, evaluation, the best kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from mindspore import nn

from zoohub.inference.runner import CellRunner
from zoohub.manifest.entry import InputContract
from zoohub.training.data.batches import Note, Plan
from zoohub.training.detection.batches import BoxLoader, TrainingPictures
from zoohub.training.detection.evaluation import evaluate_detection
from zoohub.training.detection.recipe import DetectionRecipe
from zoohub.training.detection.samples import BoxSamples, BoxSplits
from zoohub.training.schedule import learning_rate
from zoohub.training.together import means
from zoohub.training.trainer import Arrays, Trainer, put_weights


@dataclass(frozen=True)
class BoxStep:
    """What is known after a step."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    lr: float
    images_per_second: float


@dataclass(frozen=True)
class BoxEpoch:
    """One line of `metrics.jsonl`; precisions (0 to 1) are None where nothing was evaluated."""

    epoch: int
    loss: float
    lr: float
    seconds: float
    validation_map: float | None
    validation_map50: float | None


@dataclass
class BoxProgress:
    """Where a run stands: what is saved beside the trainer's arrays."""

    epoch: int = 0
    step: int = 0
    losses: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    best_map: float = -1.0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class BoxHooks:
    """What the surroundings do as the run goes on. Each may be left out.

    The first two are called with the run's position already moved on, and with a function that
    gives the state to save, so that a run continued from it takes the next step.
    """

    after_step: Callable[[BoxStep, BoxProgress, Callable[[], Arrays]], None] | None = None
    after_epoch: Callable[[BoxEpoch, BoxProgress, Callable[[], Arrays]], None] | None = None
    keep: Callable[[str, Arrays], None] | None = None


def run_detection(
    trainer: Trainer,
    detector: nn.Cell,
    recipe: DetectionRecipe,
    splits: BoxSplits,
    contract: InputContract,
    *,
    plan: Plan,
    progress: BoxProgress,
    hooks: BoxHooks,
    note: Note = lambda name, reason: None,
) -> BoxProgress:
    """Train from where `progress` stands to the recipe's last epoch.

    `trainer` trains `detector` through a cell that gives its maps to the loss. `note` is told of
    (name, reason) of each picture that cannot be read and is left out.
    """
    prepare = TrainingPictures(splits.train, contract, recipe.augment, recipe.most_boxes)
    loader = BoxLoader(prepare, plan, recipe.seed, note=note)
    while progress.epoch < recipe.epochs:
        started = time.perf_counter()
        lr = _epoch(trainer, recipe, loader, progress, hooks)
        weights = trainer.weights()
        last = progress.epoch + 1 == recipe.epochs
        # Of several workers one writes, so that one evaluates.
        due = plan.rank == 0 and (last or (progress.epoch + 1) % recipe.evaluate_every == 0)
        found: dict[str, Any] = {}
        if due and splits.validation.box_count:
            found = check_detector(
                trainer, detector, weights, splits.validation, contract, splits.classes, note
            )
        (loss,) = means([np.mean(progress.losses)], plan.workers)
        report = BoxEpoch(
            epoch=progress.epoch + 1,
            loss=loss,
            lr=lr,
            seconds=time.perf_counter() - started,
            validation_map=found.get("map"),
            validation_map50=found.get("map50"),
        )
        _advance(progress, report, weights, hooks, trainer.state, last=last)
    return progress


def _epoch(
    trainer: Trainer,
    recipe: DetectionRecipe,
    loader: BoxLoader,
    progress: BoxProgress,
    hooks: BoxHooks,
) -> float:
    plan, epoch = loader.plan, progress.epoch
    whole = epoch >= recipe.epochs - recipe.augment.last
    lr = 0.0
    started = time.perf_counter()
    for batches in loader.steps(epoch, first=progress.step, whole=whole):
        number = epoch * plan.steps + progress.step
        lr = learning_rate(
            recipe.schedule, recipe.optimizer.lr, number, recipe.epochs * plan.steps, plan.steps
        )
        loss, _ = trainer.step(batches, lr)
        progress.losses.append(loss)
        progress.step += 1
        if hooks.after_step:
            rate = plan.batch / max(1e-9, time.perf_counter() - started)
            report = BoxStep(epoch + 1, recipe.epochs, progress.step, plan.steps, loss, lr, rate)
            hooks.after_step(report, progress, trainer.state)
        started = time.perf_counter()
    return lr


def _advance(
    progress: BoxProgress,
    report: BoxEpoch,
    weights: Arrays,
    hooks: BoxHooks,
    state: Callable[[], Arrays],
    *,
    last: bool,
) -> None:
    if report.validation_map is not None and report.validation_map > progress.best_map:
        progress.best_epoch, progress.best_map = report.epoch, report.validation_map
        if hooks.keep:
            hooks.keep("best", weights)
    if last and hooks.keep:
        hooks.keep("last", weights)
    progress.history.append(asdict(report))
    progress.epoch, progress.step, progress.losses = progress.epoch + 1, 0, []
    if hooks.after_epoch:
        hooks.after_epoch(report, progress, state)


def check_detector(
    trainer: Trainer,
    detector: nn.Cell,
    weights: Arrays,
    samples: BoxSamples,
    contract: InputContract,
    classes: tuple[str, ...],
    note: Note,
) -> dict[str, Any]:
    """The detector's figures with `weights` for the time being."""
    with _borrowed(trainer, weights):
        return evaluate_detection(CellRunner(detector), samples, contract, classes, note=note)


@contextmanager
def _borrowed(trainer: Trainer, weights: Arrays) -> Iterator[None]:
    own = {p.name: p.asnumpy().copy() for p in trainer.parameters}
    put_weights(trainer.parameters, weights)
    try:
        yield
    finally:
        put_weights(trainer.parameters, own)
