"""What a run leaves behind: the kept weights measured, and every file of its folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import mindspore as ms

from zoohub.checkpoint import load_weights
from zoohub.training.data.samples import Samples, Splits
from zoohub.training.detection.samples import BoxSplits
from zoohub.training.folder import RunFolder
from zoohub.training.loop import Progress, evaluate_samples
from zoohub.training.metrics import Classification
from zoohub.training.pictures import confusion_matrix, learning_curve
from zoohub.training.report import report_page
from zoohub.training.run import Run, provenance_of
from zoohub.training.saved import RUN_FILE, WEIGHTS, run_document
from zoohub.training.session import Session, data_notes
from zoohub.training.start import Start
from zoohub.training.trainer import Arrays, Trainer, put_weights


def finish(
    session: Session,
    folder: RunFolder,
    trainer: Trainer,
    progress: Progress,
    last: Arrays,
) -> Run:
    """Put the kept weights into the network, measure them, and write the results."""
    recipe, splits = session.recipe, session.splits
    if not last:  # resumed after the last epoch's state was saved
        last = load_weights(folder.path / "last.ckpt")
    weights = last
    if recipe.keep == "best" and progress.best_epoch is not None:
        weights = load_weights(folder.path / "best.ckpt")
    put_weights(trainer.parameters, weights)
    net = trainer.net
    net.set_train(False)
    results: dict[str, Classification] = {}
    for part, samples in (("test", splits.test), ("validation", splits.validation)):
        if len(samples):
            results[part] = evaluate_samples(
                net, samples, session.start.contract, note=session.leave_out
            )
    metrics: dict[str, Any] = {}
    for part, result in results.items():
        summary = {k: v for k, v in result.summary(splits.classes).items() if k != "per_class"}
        metrics.update(summary if not metrics else {})
        metrics[part] = summary
    metrics["epochs"] = recipe.epochs
    if progress.best_epoch is not None:
        metrics["best_epoch"] = progress.best_epoch
    _write_results(session, folder, weights, progress, results, metrics)
    net.zoohub = provenance_of(folder.path, None)
    return Run(folder.path, net, metrics)


def _write_results(
    session: Session,
    folder: RunFolder,
    weights: Arrays,
    progress: Progress,
    results: dict[str, Classification],
    metrics: dict[str, Any],
) -> None:
    recipe, splits, start = session.recipe, session.splits, session.start
    folder.write_text("curve.svg", learning_curve(progress.history))
    part, result = next(iter(results.items()), ("", None))
    if result is not None:
        folder.write_text("confusion.svg", confusion_matrix(result.confusion, splits.classes))
    samples = readable(splits.test if part == "test" else splits.validation, splits)
    name = folder.path.resolve().name
    page = report_page(
        name, recipe, splits, progress.history, part, result, samples, data_notes(session)
    )
    folder.write_text("report.html", page)
    dataset = name if recipe.data.kind != "digits" else "uci-digits"
    figures = {**metrics, "data": describe(splits)}
    write_result(folder, weights, start, splits.classes, progress, dataset, figures)


def describe(splits: Splits | BoxSplits) -> dict[str, int]:
    """How many pictures and classes there are, for `run.json`."""
    return {
        "classes": len(splits.classes),
        "train": len(splits.train),
        "validation": len(splits.validation),
        "test": len(splits.test),
        "skipped": len(splits.skipped),
    }


def write_result(
    folder: RunFolder,
    weights: Arrays,
    start: Start,
    classes: tuple[str, ...],
    progress: Any,
    dataset: str,
    metrics: dict[str, Any],
    task: str = "image-classification",
) -> None:
    """The files that make a folder a finished run, `run.json` last; the state goes."""
    file = folder.write_weights(Path(WEIGHTS).stem, weights)
    folder.write_safetensors(weights)
    folder.write_history(progress)
    content = file.read_bytes()
    document = run_document(
        name=folder.path.resolve().name,
        entry=start.entry,
        start=start.checkpoint if start.path is not None else None,
        spec=start.spec,
        contract=start.contract,
        classes=classes,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        dataset=dataset,
        mindspore=ms.__version__,
        metrics=metrics,
        task=task,
    )
    folder.write_text(RUN_FILE, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    folder.remove_state()


def readable(samples: Samples, splits: Splits) -> Samples:
    """The samples without those that turned out unreadable, as their results are."""
    good = [i for i, name in enumerate(samples.names) if name not in splits.skipped]
    return samples if len(good) == len(samples) else samples.take(good)
