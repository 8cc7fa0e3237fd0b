"""What a run leaves behind: the kept weights measured, and every file of its folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mindspore as ms
from mindspore import nn

from zoohub.checkpoint import load_weights
from zoohub.core.counting import counted
from zoohub.models.runs import RUN_FILE, WEIGHTS, RunFacts, run_document
from zoohub.predicting.predicting import interpreted
from zoohub.predicting.reading import Ready, in_batches
from zoohub.tasks.charts import learning_curve
from zoohub.tasks.contract import Figures, Finished, Metric, Panels
from zoohub.tasks.finding import reader_of
from zoohub.tasks.page import ending, html_page, notes_list, top_table
from zoohub.tasks.recipe import data_of
from zoohub.tasks.samples import AnySamples
from zoohub.training.epochs import Learner, part_of, predictor_of
from zoohub.training.extending import keep_state
from zoohub.training.options import Say
from zoohub.training.reports import Progress
from zoohub.training.run import Run, provenance_of
from zoohub.training.run_folder import RunFolder
from zoohub.training.session import Session, data_notes
from zoohub.training.steps.trainer import Arrays, Trainer, put_weights

_PREDICTED = 8  # pictures at a time, for the page


@dataclass(frozen=True)
class Trained:
    """A network with its final weights, and where its run stands."""

    session: Session
    net: nn.Cell
    weights: Arrays
    progress: Progress


def finish(
    trained: Trained, learner: Learner, trainer: Trainer, folder: RunFolder, say: Say
) -> Run:
    """Put the kept weights into the network, measure them, and write the results.

    `trained` has the last weights; none where the run was resumed after they were saved.
    """
    session, net, progress = trained.session, trained.net, trained.progress
    recipe, splits, task = session.recipe, session.splits, session.task
    weights = trained.weights or load_weights(folder.path / "last.ckpt")
    if recipe.keep == "best" and progress.best_epoch is not None:
        weights = load_weights(folder.path / "best.ckpt")
    put_weights(trainer.parameters, weights)
    net.set_train(False)
    results: dict[str, Metric] = {}
    metrics: Figures = {}
    for part, samples in (("test", splits.test), ("validation", splits.validation)):
        if task.measurable(samples):
            results[part] = learner.measure(part, session.noting(say))
            figures = results[part].figures()
            kept = {key: v for key, v in figures.items() if key not in task.forgotten}
            metrics = {**({} if metrics else kept), **metrics, part: kept}
    metrics["epochs"] = progress.epoch
    if progress.epoch < recipe.epochs:
        say(
            f"stopped early, after {progress.epoch} of {counted(recipe.epochs, 'epoch')}: the best "
            f"was epoch {progress.best_epoch}"
        )
    if progress.best_epoch is not None:
        metrics["best_epoch"] = progress.best_epoch
    part, metric = next(iter(results.items()), ("", None))
    finished = _finished(trained, part, metric, metrics, say)
    _write_page(trained, folder, finished)
    write_result(Trained(session, net, weights, progress), folder, metrics)
    net.zoohub = provenance_of(folder.path, None)
    return Run(folder.path, net, metrics)


def _finished(
    trained: Trained, part: str, metric: Metric | None, metrics: Figures, say: Say
) -> Finished[Any, Any]:
    """What the task's panels are made of: on the part that was measured, the samples that can be
    read, as its results are."""
    session = trained.session
    splits, skipped = session.splits, session.splits.skipped
    whole = part_of(session, part)
    good = [place for place, name in enumerate(whole.names) if name not in skipped]
    samples = whole if len(good) == len(whole) else whole.take(good)

    def predict(count: int) -> Sequence[tuple[int, tuple[object, ...]]]:
        return _predictions(trained, samples.take(range(min(count, len(samples)))), say)

    figures = metrics.get(part)
    return Finished(session.recipe, splits.classes, part, samples, metric, figures, predict)


def _predictions(
    trained: Trained, samples: AnySamples, say: Say
) -> list[tuple[int, tuple[object, ...]]]:
    """The results on each sample that can be read, with its place."""
    if not len(samples):
        return []
    session = trained.session
    predictor, note = predictor_of(session, trained.net), session.noting(say)
    options = session.task.options()
    prepare = session.task.prepare(session.start.contract)

    def told(one: Ready) -> bool:
        if one.error is not None:
            note(samples.names[one.place], one.error)
        return one.error is None

    groups = in_batches(len(samples), lambda place: prepare(samples.inputs[place]), _PREDICTED)
    return [
        (one.place, found)
        for group in groups
        for one, found in zip(group, interpreted(predictor, group, options), strict=True)
        if told(one)
    ]


def _write_page(trained: Trained, folder: RunFolder, finished: Finished[Any, Any]) -> None:
    session, history = trained.session, trained.progress.history
    curve = learning_curve(session.task.curve, history)
    panels: Panels = session.task.panels(finished)
    splits, recipe = session.splits, session.recipe
    counts = [len(splits.train), len(splits.validation), len(splits.test)]
    body = [
        top_table(
            recipe,
            len(splits.classes),
            counts,
            panels.figures,
            finished.part,
            session.task.samples,
        ),
        *notes_list(data_notes(session)),
        "<h2>Learning curve</h2>",
        curve,
        *panels.sections,
        *ending(recipe, splits.skipped),
    ]
    folder.write_text("curve.svg", curve)
    for name, text in panels.files.items():
        folder.write_text(name, text)
    page = html_page(folder.path.resolve().name, body, panels.style)
    folder.write_text("report.html", page)


def write_result(trained: Trained, folder: RunFolder, metrics: Figures) -> None:
    """The files that make a folder a finished run, `run.json` last; the state goes."""
    session, weights = trained.session, trained.weights
    splits, start = session.splits, session.start
    file = folder.write_weights(Path(WEIGHTS).stem, weights)
    folder.write_safetensors(weights)
    folder.write_history(trained.progress)
    content = file.read_bytes()
    counts = {
        "classes": len(splits.classes),
        "train": len(splits.train),
        "validation": len(splits.validation),
        "test": len(splits.test),
        "skipped": len(splits.skipped),
    }
    name = folder.path.resolve().name
    data = data_of(session.recipe)
    facts = RunFacts(
        name=name,
        task=session.task.name,
        entry=start.entry,
        start=start.checkpoint if start.path is not None else None,
        spec=start.spec,
        contract=start.contract,
        classes=splits.classes,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        dataset=reader_of(session.task, data, name).dataset or name,
        mindspore=ms.__version__,
        metrics={**metrics, "data": counts},
        published=session.task.published,
    )
    document = run_document(facts)
    folder.write_text(RUN_FILE, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    keep_state(folder)
    folder.remove_state()
