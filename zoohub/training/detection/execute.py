"""A detector's recipe, run in this process, saved as it goes on, and what it leaves behind."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from mindspore import nn

from zoohub.checkpoint import load_weights
from zoohub.inference.predict import predict_inputs
from zoohub.inference.runner import CellRunner
from zoohub.settings import Settings
from zoohub.training.detection.loop import BoxEpoch, BoxHooks, BoxProgress, BoxStep
from zoohub.training.detection.recipe import DetectionRecipe
from zoohub.training.detection.report import SHOWN, box_curve, box_page
from zoohub.training.detection.samples import BoxSplits
from zoohub.training.detection.session import (
    DetectionSession,
    evaluate_part,
    open_detection,
    run_detection_session,
)
from zoohub.training.execute import SAVE_SECONDS, Saver, saved_state
from zoohub.training.finishing import write_result
from zoohub.training.fitting import Say, Workers, announce
from zoohub.training.folder import RunFolder
from zoohub.training.recipe import recipe_text
from zoohub.training.run import Run, provenance_of
from zoohub.training.together import check_same
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
    load = (lambda: saved_state(folder, session.workers)) if resume else lambda: None
    net, trainer, progress = run_detection_session(session, hooks, load=load, say=say)
    if not writes:
        return Run(folder.path, net.set_train(False), {})
    return _finish(session, folder, net, trainer, progress, saver.last)


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
) -> Run:
    """Put the kept weights into the network, measure them, and write the results."""
    recipe, splits, start = session.recipe, session.splits, session.start
    weights = last or load_weights(folder.path / "last.ckpt")
    if recipe.keep == "best" and progress.best_epoch is not None:
        weights = load_weights(folder.path / "best.ckpt")
    put_weights(trainer.parameters, weights)
    net.set_train(False)
    metrics: dict[str, Any] = {}
    for part, samples in (("test", splits.test), ("validation", splits.validation)):
        figures = evaluate_part(net, session, samples)
        if figures is not None:
            metrics = {**({} if metrics else figures), **metrics, part: figures}
    shown_part = "test" if "test" in metrics else "validation"
    metrics["epochs"] = recipe.epochs
    if progress.best_epoch is not None:
        metrics["best_epoch"] = progress.best_epoch

    name = folder.path.resolve().name
    folder.write_text("curve.svg", box_curve(progress.history))
    samples = splits.test if shown_part == "test" else splits.validation
    shown = list(
        predict_inputs(
            CellRunner(net),
            list(samples.images[:SHOWN]),
            start.contract,
            task="object-detection",
            class_names=splits.classes,
        )
        if len(samples)
        else ()
    )
    page = box_page(
        name, recipe, splits, progress.history, shown_part, metrics.get(shown_part), samples, shown
    )
    folder.write_text("report.html", page)
    dataset = "uci-digits" if recipe.data.kind == "digit-scenes" else name
    write_result(
        folder, weights, start, splits.classes, progress, dataset, metrics, "object-detection"
    )
    net.zoohub = provenance_of(folder.path, None)
    return Run(folder.path, net, metrics)
