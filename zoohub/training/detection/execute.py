"""A detector's recipe, run in this process, saved as it goes on, and what it leaves behind."""

from __future__ import annotations

import csv
import functools
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mindspore import nn

from zoohub.checkpoint import load_weights
from zoohub.inference.predict import predict_inputs
from zoohub.inference.results import Prediction
from zoohub.inference.runner import CellRunner
from zoohub.settings import Settings
from zoohub.training.detection.evaluation import readable
from zoohub.training.detection.labels import skip_sentence
from zoohub.training.detection.loop import BoxEpoch, BoxHooks, BoxProgress, BoxStep
from zoohub.training.detection.recipe import DetectionRecipe
from zoohub.training.detection.report import SHOWN, box_curve, box_page
from zoohub.training.detection.samples import BoxSamples, BoxSplits
from zoohub.training.detection.session import (
    DetectionSession,
    evaluate_part,
    open_detection,
    run_detection_session,
)
from zoohub.training.execute import SAVE_SECONDS, Saver, saved_state
from zoohub.training.finishing import describe, write_result
from zoohub.training.fitting import Say, Workers, announce
from zoohub.training.folder import RunFolder
from zoohub.training.recipe import recipe_text
from zoohub.training.run import Run, provenance_of
from zoohub.training.together import check_same, from_all
from zoohub.training.trainer import Arrays, Trainer, put_weights


class DetectionFolder(RunFolder):
    """A detector's run folder; as a classifier's, without a confusion matrix."""

    progress_type = BoxProgress


def execute_detection(
    recipe: DetectionRecipe,
    folder: DetectionFolder,
    *,
    splits: BoxSplits | None = None,
    resume: bool = False,
    settings: Settings | None = None,
    workers: Workers | None = None,
    on_step: Callable[[BoxStep], object] | None = None,
    on_epoch: Callable[[BoxEpoch], object] | None = None,
    say: Say = lambda text: None,
    save_seconds: float = SAVE_SECONDS,
) -> Run:
    """Run a recipe in this process, into `folder`; of several workers only rank 0 writes.

    `splits` is the recipe's data, where it has been read already.

    Raises:
        As `finetune_detection`.
    """
    session = open_detection(recipe, settings, workers, splits)
    parts, workers = session.splits, session.workers
    check_same(session.recipe, parts.identity(), len(parts.train), workers)
    writes = workers.rank == 0
    if writes:
        for warning in parts.warnings:
            say(warning)
        if not resume:
            folder.claim(recipe_text(session.recipe), split_table(parts))
        announce(session.recipe, len(parts.train), len(parts.validation), say)
    saver = Saver(folder, save_seconds, on_step, on_epoch, writes)
    hooks = BoxHooks(saver.after_step, saver.after_epoch, saver.keep)
    # A new run has none to begin with, but may go on from one where the memory did not suffice.
    load = functools.partial(saved_state, folder, workers)
    known = dict(parts.skipped)
    net, trainer, progress = run_detection_session(session, hooks, load=load, say=say)
    found = {name: reason for name, reason in parts.skipped.items() if name not in known}
    note = session.noting(say)
    for others in from_all(json.dumps(found).encode(), workers):
        for name, reason in json.loads(others).items():
            note(name, reason)
    if not writes:
        return Run(folder.path, net.set_train(False), {})
    return _finish(session, folder, net, trainer, progress, saver.last, known, say)


def split_table(splits: BoxSplits) -> str:
    """CSV of path, number of boxes and split of every picture."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["path", "boxes", "split"])
    for part, samples in (
        ("train", splits.train),
        ("val", splits.validation),
        ("test", splits.test),
    ):
        for name, boxes in zip(samples.names, samples.boxes, strict=True):
            writer.writerow([name, len(boxes), part])
    return out.getvalue()


def _finish(
    session: DetectionSession,
    folder: DetectionFolder,
    net: nn.Cell,
    trainer: Trainer,
    progress: BoxProgress,
    last: Arrays,
    known: Mapping[str, str],
    say: Say,
) -> Run:
    """Put the kept weights into the network, measure them, and write the results.

    `known` are the pictures that were left out before the run, as the data's warnings count them.
    """
    recipe, splits, start = session.recipe, session.splits, session.start
    weights = last or load_weights(folder.path / "last.ckpt")
    if recipe.keep == "best" and progress.best_epoch is not None:
        weights = load_weights(folder.path / "best.ckpt")
    put_weights(trainer.parameters, weights)
    net.set_train(False)
    metrics: dict[str, Any] = {}
    for part, samples in (("test", splits.test), ("validation", splits.validation)):
        figures = evaluate_part(net, session, samples, say)
        if figures is not None:
            metrics = {**({} if metrics else figures), **metrics, part: figures}
    shown_part = "test" if "test" in metrics else "validation"
    metrics["epochs"] = recipe.epochs
    if progress.best_epoch is not None:
        metrics["best_epoch"] = progress.best_epoch

    name = folder.path.resolve().name
    folder.write_text("curve.svg", box_curve(progress.history))
    samples, shown = _findings(
        net, session, splits.test if shown_part == "test" else splits.validation, say
    )
    counted = replace(splits, warnings=_warnings(splits, known))
    page = box_page(
        name, recipe, counted, progress.history, shown_part, metrics.get(shown_part), samples, shown
    )
    folder.write_text("report.html", page)
    dataset = "uci-digits" if recipe.data.kind == "digit-scenes" else name
    figures = {**metrics, "data": describe(splits)}
    write_result(
        folder, weights, start, splits.classes, progress, dataset, figures, "object-detection"
    )
    net.zoohub = provenance_of(folder.path, None)
    return Run(folder.path, net, metrics)


def _findings(
    net: nn.Cell, session: DetectionSession, samples: BoxSamples, say: Say
) -> tuple[BoxSamples, list[Prediction]]:
    """The first samples that can be read, and what is found on them, for the page."""
    skipped = session.splits.skipped
    places = [place for place, name in enumerate(samples.names) if name not in skipped]
    samples = samples.take(places[:SHOWN])
    if not len(samples):
        return samples, []
    found = predict_inputs(
        CellRunner(net),
        list(samples.images),
        session.start.contract,
        task="object-detection",
        class_names=session.splits.classes,
    )
    return readable(samples, list(found), session.noting(say))


def _warnings(splits: BoxSplits, known: Mapping[str, str]) -> tuple[str, ...]:
    """The data's warnings, with the pictures left out since they were read counted too."""
    before = skip_sentence(known)
    return (
        *skip_sentence(splits.skipped),
        *(warning for warning in splits.warnings if warning not in before),
    )
