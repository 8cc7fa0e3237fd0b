"""A run's epochs, from its first step or from a saved state, to its last."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from mindspore import nn

from zoohub.networks.families import find_family
from zoohub.predicting.compiled_parts import part_runners
from zoohub.predicting.measuring import measure_samples
from zoohub.predicting.predictor import Predictor, cell_runner
from zoohub.tasks.contract import AnyTask, Figures, Metric, Note, TrainingRow, TrainingRows
from zoohub.tasks.recipe import Recipe
from zoohub.tasks.samples import AnySamples
from zoohub.training.batches import MIX, Loader, Plan
from zoohub.training.reports import EpochReport, Hooks, Line, Progress, StepReport
from zoohub.training.session import Session
from zoohub.training.several.collectives import Means, from_first
from zoohub.training.steps.schedule import learning_rate
from zoohub.training.steps.trainer import Arrays, Trainer, borrowed_weights


@dataclass(frozen=True)
class Learner:
    """What of a session's network takes the steps, and on what: all of it on the samples, or its
    head on features of them.

    Attributes:
        network: the whole.
        net: what learns.
        rows: what makes its training rows.
        measure: its metric on a part of the data (`validation`, `test`); a `Note` is told of what
            cannot be read. Raises DataError: nothing can.
    """

    network: nn.Cell
    net: nn.Cell
    rows: TrainingRows
    measure: Callable[[str, Note], Metric]


@dataclass(frozen=True)
class Course:
    """A session's way through its epochs: who takes the steps, on which part of each batch, and
    who hears of it."""

    session: Session
    learner: Learner
    trainer: Trainer
    plan: Plan
    hooks: Hooks
    note: Note


def run_epochs(course: Course, progress: Progress) -> Progress:
    """Train from where `progress` stands to the recipe's last epoch."""
    session, plan, trainer = course.session, course.plan, course.trainer
    task, recipe, splits = session.task, session.recipe, session.splits
    loader = Loader(course.learner.rows, plan, recipe.seed, note=course.note)
    everywhere = Means(plan.workers)
    while progress.epoch < recipe.epochs and not _stops(course, progress):
        started = time.perf_counter()
        lr = _steps(course, loader, progress, everywhere)
        weights = trainer.weights()
        epoch = progress.epoch + 1
        last = epoch == recipe.epochs
        # Of several workers one writes, so that one evaluates.
        due = plan.rank == 0 and (last or task.evaluates(recipe, epoch))
        found: Figures = {}
        if due and task.measurable(splits.validation):
            with borrowed_weights(trainer.parameters, weights):
                found = course.learner.measure("validation", course.note).figures()
        rows = plan.steps * plan.share
        known = {**dict.fromkeys(task.epoch_figures), **_known(task, found)}
        title = counting(task, task.headline[0], known, progress.history)
        report = EpochReport(
            epoch=epoch,
            loss=float(np.mean(progress.losses)),
            lr=lr,
            seconds=time.perf_counter() - started,
            training={key: value / rows for key, value in progress.sums.items()},
            validation=known,
            headline=(task.figure(title).title, found.get(title)),
        )
        _advance(course, progress, report, weights, last=last)
    return progress


def ranked(
    task: AnyTask, found: Mapping[str, float | None], history: Sequence[Line]
) -> list[float] | None:
    """What ranks an epoch by the task's `best` figures, the larger the better; None: not measured
    whole. `history` has the epochs that it is ranked among."""
    keys = [counting(task, key, found, history) for key in task.best]
    signs = {key: 1 if task.figure(key).higher else -1 for key in keys}
    known = [sign * value for key, sign in signs.items() if (value := found.get(key)) is not None]
    return known if len(known) == len(signs) else None


def counting(
    task: AnyTask, key: str, found: Mapping[str, float | None], history: Sequence[Line]
) -> str:
    """The figure that counts for `key`: what the task has `instead`, where that is measured.

    A run goes on by what it began with: older versions of zoohub kept fewer figures.
    """
    other = task.instead.get(key)
    if other is None:
        return key
    epochs = [{name: line.get(f"validation_{name}") for name in (key, other)} for line in history]
    measured = (epoch for epoch in (*epochs, found) if epoch.get(key) is not None)
    return other if next(measured, {}).get(other) is not None else key


def _known(task: AnyTask, found: Figures) -> Figures:
    """The figures of an epoch that are kept, as far as they were measured."""
    others = [task.instead[key] for key in task.epoch_figures if key in task.instead]
    return {key: found[key] for key in (*task.epoch_figures, *others) if key in found}


def overdue(task: AnyTask, recipe: Recipe, progress: Progress) -> bool:
    """Whether `early_stopping` measured epochs in a row were no better than the best."""
    if recipe.early_stopping is None or progress.best_epoch is None or progress.step:
        return False
    key = f"validation_{task.best[0]}"
    since = (line for line in progress.history if line["epoch"] > progress.best_epoch)
    return sum(line.get(key) is not None for line in since) >= recipe.early_stopping


def _stops(course: Course, progress: Progress) -> bool:
    """As `overdue`, by what the first worker found: it alone measures."""
    session = course.session
    if session.recipe.early_stopping is None:
        return False
    own = overdue(session.task, session.recipe, progress)
    return from_first(b"stop" if own else b"on", session.workers) == b"stop"


def part_of(session: Session, part: str) -> AnySamples:
    """The samples for `validation`, or of the `test` part."""
    return session.splits.test if part == "test" else session.splits.validation


def whole_learner(session: Session, net: nn.Cell) -> Learner:
    """The whole network on the samples."""
    task = session.task

    def measure(part: str, note: Note) -> Metric:
        predictor = predictor_of(session, net)
        return measure_samples(predictor, part_of(session, part), task.measuring_batch, note)

    rows = task.training_rows(session.splits.train, session.start.contract, session.recipe)
    return Learner(net, net, rows, measure)


def predictor_of(session: Session, net: nn.Cell) -> Predictor:
    """The network as what predicts, with the data's classes."""
    start = session.start
    runner, read = cell_runner(net, start.spec.builder)
    parts = part_runners(net, start.spec.builder, None)
    return Predictor(
        session.task, runner, read, start.contract, session.splits.classes, parts=parts
    )


def _steps(course: Course, loader: Loader, progress: Progress, everywhere: Means) -> float:
    """The steps that are left of an epoch; returns the last learning rate."""
    task, recipe, plan = course.session.task, course.session.recipe, course.plan
    classes, epoch = len(course.session.splits.classes), progress.epoch
    total = recipe.epochs * plan.steps
    lr = 0.0
    started = time.perf_counter()
    for rows in loader.steps(epoch, first=progress.step):
        number = epoch * plan.steps + progress.step
        lr = learning_rate(recipe.schedule, recipe.optimizer.lr, number, total, plan.steps)
        random = np.random.default_rng([recipe.seed, MIX, number, plan.rank])
        rows = taken_by(find_family(course.session.start.spec.builder).inputs, rows)
        batches = task.step_batches(rows, recipe, classes, random, plan.accumulate)
        loss, outputs = course.trainer.step(batches, lr)
        own = task.step_figures(outputs, rows)
        # Of all workers' rows: what the first worker saves, a resumed run goes on with at each.
        loss, *values = everywhere.of([loss, *own.values()])
        sums = dict(zip(own, values, strict=True))
        for key, value in sums.items():
            progress.sums[key] = progress.sums.get(key, 0) + value
        progress.losses.append(loss)
        progress.step += 1
        if course.hooks.after_step:
            report = StepReport(
                epoch=epoch + 1,
                epochs=recipe.epochs,
                step=progress.step,
                steps=plan.steps,
                loss=loss,
                lr=lr,
                images_per_second=plan.batch / max(1e-9, time.perf_counter() - started),
                figures={key: value / plan.share for key, value in sums.items()},
            )
            course.hooks.after_step(report, progress, course.trainer.state)
        started = time.perf_counter()
    return lr


def taken_by(inputs: tuple[str, ...], rows: TrainingRow) -> TrainingRow:
    """The rows with those inputs alone that a network takes, in its order; as they are where they
    have not all of these."""
    if not set(inputs) <= rows.inputs.keys():
        return rows
    return TrainingRow({name: rows.inputs[name] for name in inputs}, rows.targets)


def _advance(
    course: Course, progress: Progress, report: EpochReport, weights: Arrays, *, last: bool
) -> None:
    """Keep what is best or last, and move the position on to the next epoch."""
    task, hooks = course.session.task, course.hooks
    rank = ranked(task, report.validation, progress.history)
    if rank is not None and (progress.best_epoch is None or rank > progress.best):
        progress.best_epoch, progress.best = report.epoch, rank
        if hooks.keep:
            hooks.keep("best", weights)
    progress.history.append(report.line())
    progress.epoch, progress.step = progress.epoch + 1, 0
    progress.losses, progress.sums = [], {}
    if (last or _stops(course, progress)) and hooks.keep:
        hooks.keep("last", weights)
    if hooks.after_epoch:
        hooks.after_epoch(report, progress, course.trainer.state)
