"""A recipe's training run, from its first step or from a saved state, to its last."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mindspore import nn

from zoohub.manifest.entry import InputContract
from zoohub.training.data.augment import mix
from zoohub.training.data.batches import MIX, Loader, Note, Plan, in_order
from zoohub.training.data.pixels import Evaluation, Training
from zoohub.training.data.samples import Samples, Splits
from zoohub.training.metrics import Classification
from zoohub.training.recipe import Recipe
from zoohub.training.schedule import learning_rate
from zoohub.training.step import soft_targets
from zoohub.training.together import means
from zoohub.training.trainer import Arrays, Trainer, evaluate_network, put_weights

EVALUATION_BATCH = 64


@dataclass(frozen=True)
class StepReport:
    """What is known after a step: for progress displays and callbacks."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float
    lr: float
    images_per_second: float


@dataclass(frozen=True)
class EpochReport:
    """One line of `metrics.jsonl`; validation figures are None where there is no such part."""

    epoch: int
    loss: float
    accuracy: float
    lr: float
    seconds: float
    validation_loss: float | None
    validation_top1: float | None


@dataclass
class Progress:
    """Where a run stands: what is saved beside the trainer's arrays."""

    epoch: int = 0
    step: int = 0
    losses: list[float] = field(default_factory=list)
    right: int = 0
    best_epoch: int | None = None
    best_top1: float = -1.0
    best_loss: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Hooks:
    """What the surroundings do as the run goes on. Each may be left out.

    `after_step` and `after_epoch` are called with the run's position already moved on, so that
    the state that their third argument gives continues with the next step;
    `keep` gets the weights of a new best or of the last epoch.
    """

    after_step: Callable[[StepReport, Progress, Callable[[], Arrays]], None] | None = None
    after_epoch: Callable[[EpochReport, Progress, Callable[[], Arrays]], None] | None = None
    keep: Callable[[str, Arrays], None] | None = None


def run(
    trainer: Trainer,
    recipe: Recipe,
    splits: Splits,
    contract: InputContract,
    *,
    plan: Plan,
    progress: Progress,
    hooks: Hooks,
    note: Note = lambda name, reason: None,
) -> Progress:
    """Train from where `progress` stands to the recipe's last epoch; `note` is told of each
    picture that cannot be read."""
    prepare = Training(splits.train, contract, recipe.augment)
    loader = Loader(splits.train, prepare, plan, recipe.seed, note=note)
    while progress.epoch < recipe.epochs:
        started = time.perf_counter()
        lr = _epoch(trainer, recipe, loader, len(splits.classes), progress, hooks)
        weights = trainer.weights()
        # Of several workers one writes, so that one evaluates.
        judged = splits.validation if plan.rank == 0 else splits.validation.take([])
        validation = check(trainer, weights, judged, contract, note)
        accuracy = progress.right / (plan.steps * plan.share)
        loss, accuracy = means([np.mean(progress.losses), accuracy], plan.workers)
        report = EpochReport(
            epoch=progress.epoch + 1,
            loss=loss,
            accuracy=accuracy,
            lr=lr,
            seconds=time.perf_counter() - started,
            validation_loss=validation.loss if validation else None,
            validation_top1=validation.top(1) if validation else None,
        )
        _advance(
            trainer, progress, report, weights, hooks, last=progress.epoch + 1 == recipe.epochs
        )
    return progress


def _epoch(
    trainer: Trainer,
    recipe: Recipe,
    loader: Loader,
    classes: int,
    progress: Progress,
    hooks: Hooks,
) -> float:
    plan, epoch = loader.plan, progress.epoch
    total = recipe.epochs * plan.steps
    lr = 0.0
    started = time.perf_counter()
    for batches in loader.steps(epoch, first=progress.step):
        number = epoch * plan.steps + progress.step
        lr = learning_rate(recipe.schedule, recipe.optimizer.lr, number, total, plan.steps)
        random = np.random.default_rng([recipe.seed, MIX, number, plan.rank])
        labels = np.concatenate([label for _, label in batches])
        targets = soft_targets(labels, classes, recipe.label_smoothing)
        # Mixed before it is cut into parts, so that their size changes nothing.
        parts = len(batches)
        images = batches[0][0] if parts == 1 else np.concatenate([image for image, _ in batches])
        images, targets = mix(images, targets, recipe.augment, random)
        mixed = list(zip(np.split(images, parts), np.split(targets, parts), strict=True))
        loss, logits = trainer.step(mixed, lr)
        right = int((logits.argmax(1) == labels).sum())
        progress.losses.append(loss)
        progress.right += right
        progress.step += 1
        if hooks.after_step:
            rate = len(labels) * plan.workers / max(1e-9, time.perf_counter() - started)
            accuracy = right / len(labels)
            report = StepReport(
                epoch + 1, recipe.epochs, progress.step, plan.steps, loss, accuracy, lr, rate
            )
            hooks.after_step(report, progress, trainer.state)
        started = time.perf_counter()
    return lr


def _advance(
    trainer: Trainer,
    progress: Progress,
    report: EpochReport,
    weights: Arrays,
    hooks: Hooks,
    *,
    last: bool,
) -> None:
    top1, loss = report.validation_top1, report.validation_loss
    found = None if top1 is None or loss is None else (top1, -loss)
    if found is not None and found > (progress.best_top1, -progress.best_loss):
        progress.best_epoch = report.epoch
        progress.best_top1, progress.best_loss = found[0], -found[1]
        if hooks.keep:
            hooks.keep("best", weights)
    if last and hooks.keep:
        hooks.keep("last", weights)
    progress.history.append(
        {name: getattr(report, name) for name in EpochReport.__dataclass_fields__}
    )
    progress.epoch, progress.step = progress.epoch + 1, 0
    progress.losses, progress.right = [], 0
    if hooks.after_epoch:
        hooks.after_epoch(report, progress, trainer.state)


def check(
    trainer: Trainer, weights: Arrays, samples: Samples, contract: InputContract, note: Note
) -> Classification | None:
    """The results of `weights` on `samples`, the trainer's own put back after; None for none."""
    if not len(samples):
        return None
    own = {p.name: p.asnumpy().copy() for p in trainer.parameters}
    put_weights(trainer.parameters, weights)
    result = evaluate_samples(trainer.net, samples, contract, note=note)
    put_weights(trainer.parameters, own)
    return result


def evaluate_samples(
    net: nn.Cell,
    samples: Samples,
    contract: InputContract,
    batch_size: int = EVALUATION_BATCH,
    note: Note = lambda name, reason: None,
) -> Classification:
    """The network's results on at least one sample; `note` is told of those that cannot be read.

    Raises:
        DataError: none can be read.
    """
    size = min(batch_size, len(samples))
    batches = in_order(samples, Evaluation(samples, contract), size, note=note)
    return evaluate_network(net, batches, size)
