"""`zoohub.finetune`: a network adapted to pictures, and the folder that the run leaves behind."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import mindspore as ms
from mindspore import nn

from zoohub.checkpoint import load_weights
from zoohub.errors import RecipeError
from zoohub.provenance import Provenance
from zoohub.settings import Settings, load_settings
from zoohub.training.data.reading import data_for, read_splits
from zoohub.training.defaults import default_recipe
from zoohub.training.detection.reading import wants_detection
from zoohub.training.folder import RunFolder
from zoohub.training.loop import EpochReport, Hooks, Progress, StepReport, evaluate_samples
from zoohub.training.metrics import Classification
from zoohub.training.pictures import confusion_matrix, learning_curve
from zoohub.training.planning import (
    assign,
    is_recipe_file,
    recipe_from_file,
    require_data,
    with_overrides,
)
from zoohub.training.recipe import Data, Recipe
from zoohub.training.report import report_page
from zoohub.training.saved import RUN_FILE, WEIGHTS, is_run, open_run, run_document
from zoohub.training.session import Session, Workers, describe, open_session, run_session
from zoohub.training.start import find_start
from zoohub.training.trainer import Arrays, Trainer, put_weights

SAVE_SECONDS = 60.0
Say = Callable[[str], object]


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the trained network in evaluation mode, and its figures."""

    path: Path
    net: nn.Cell
    metrics: dict[str, Any]


def finetune(
    model: str | Path | Recipe,
    data: str | Path | Data | None = None,
    *,
    output: str | Path | None = None,
    checkpoint: str | None = "default",
    epochs: int | None = None,
    lr: float | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    assignments: Sequence[str] = (),
    resume: bool = False,
    workers: int = 1,
    master: str | None = None,
    node_rank: int | None = None,
    nodes: int = 1,
    settings: Settings | None = None,
    on_step: Callable[[StepReport], object] | None = None,
    on_epoch: Callable[[EpochReport], object] | None = None,
    say: Say = lambda text: None,
    save_seconds: float = SAVE_SECONDS,
) -> Run:
    """Adapt a network to pictures; without a recipe, settings follow from the data's size.

    Args:
        model: a model or checkpoint (`resnet50`, `resnet50@mindcv`), a run's folder, a recipe's
            .yaml file, or a `Recipe`.
        data: a folder a class (or train/ and val/ above), a .csv or .jsonl file with `path` and
            `label`, or `digits`. None: what the recipe says.
        output: the run's folder; None is `runs/<name of the data>`.
        checkpoint: the weights to start from where `model` is no recipe: an id, `default`, a
            file's path (beginning with `.`, `/` or `~`), or None for fresh weights.
        epochs, lr, batch_size, seed: in place of the recipe's; a batch size without `lr` scales
            the learning rate. The batch is global, over all workers.
        assignments: further `KEY.KEY=VALUE`, as `--set`.
        resume: go on with the run in `output`; all other settings are then the folder's own.
        workers: processes to train with on this machine, started by MindSpore's msrun.
        master: HOST[:PORT] of the first machine, where several train together.
        node_rank: which of the machines this is, from 0.
        nodes: how many machines there are.
        settings: zoohub's settings; None reads them.
        on_step, on_epoch: called with a report as the run goes on.
        say: called with sentences for the user (warnings among them).
        save_seconds: how often the state to resume from is saved, besides after each epoch.

    Returns:
        The finished run; `zoohub.load(run.path)` gives its network again.

    Raises:
        RecipeError: a setting; DataError: the pictures, or a run in `output` already.
        UnknownModel, NetworkNotAvailable, DownloadError: the model, as for `zoohub.load`.
        StoreError, NoSpaceError: the folder cannot be written; what was saved before is whole.
    """
    settings = settings or load_settings()
    if wants_detection(model, data, output, resume=resume):
        if workers > 1 or master is not None:
            raise RecipeError("detectors are trained in one process as yet: leave out --workers")
        from zoohub.training.detection.finetuning import finetune_detection

        return finetune_detection(
            cast(Any, model), cast(Any, data), output=output, checkpoint=checkpoint, epochs=epochs,
            lr=lr, batch_size=batch_size, seed=seed, assignments=assignments, resume=resume,
            settings=settings, on_step=cast(Any, on_step), on_epoch=cast(Any, on_epoch), say=say,
            save_seconds=save_seconds,
        )  # fmt: skip
    if resume:
        folder = RunFolder(_resumed(model, output))
        if is_run(folder.path):
            say(f"{folder.path}: this run is finished already")
            return load_run(folder.path)
        recipe = folder.recipe()
    else:
        recipe = plan_recipe(
            model,
            None if data is None else data_for(data),
            checkpoint=checkpoint,
            settings=settings,
            assignments=assignments,
        )
        recipe = with_overrides(recipe, epochs=epochs, lr=lr, batch_size=batch_size, seed=seed)
        folder = RunFolder(Path(output) if output else default_output(recipe))
    if workers > 1 or nodes > 1:
        from zoohub.training.launch import launch

        launch(recipe, folder.path, resume=resume, workers=workers, master=master,
               node_rank=node_rank, nodes=nodes, save_seconds=save_seconds, say=say)  # fmt: skip
        return load_run(folder.path)
    return execute(
        recipe,
        folder,
        resume=resume,
        settings=settings,
        on_step=on_step,
        on_epoch=on_epoch,
        say=say,
        save_seconds=save_seconds,
    )


def plan_recipe(
    model: str | Path | Recipe,
    data: Data | None,
    *,
    checkpoint: str | None,
    settings: Settings,
    assignments: Sequence[str] = (),
) -> Recipe:
    """The recipe of a run: the user's own, or one that suits the model and the data's size.

    Raises:
        As `finetune`.
    """
    if isinstance(model, Recipe):
        recipe = model if data is None else replace(model, data=data)
        return assign(recipe, assignments)
    if is_recipe_file(model):
        return recipe_from_file(model, data, assignments)
    name, _, id = str(model).partition("@")
    wanted = id or checkpoint
    data = require_data(data, name)
    probe, start = find_start(Recipe(model=name, data=data, checkpoint=wanted), settings)
    pictures = len(read_splits(data).train)
    recipe = default_recipe(probe.model, probe.checkpoint, data, start.contract, pictures)
    explicit = replace(recipe, network=probe.network, input=probe.input)
    return assign(explicit, assignments)


def default_output(recipe: Recipe) -> Path:
    """`runs/<name of the data>`."""
    path = getattr(recipe.data, "path", None)
    return Path("runs") / (Path(path).stem if path else f"{recipe.model}-{recipe.data.kind}")


def execute(
    recipe: Recipe,
    folder: RunFolder,
    *,
    resume: bool = False,
    settings: Settings | None = None,
    workers: Workers | None = None,
    on_step: Callable[[StepReport], object] | None = None,
    on_epoch: Callable[[EpochReport], object] | None = None,
    say: Say = lambda text: None,
    save_seconds: float = SAVE_SECONDS,
) -> Run:
    """Run a recipe in this process, into `folder`; of several workers only rank 0 writes.

    Raises:
        As `finetune`.
    """
    session = open_session(recipe, settings, workers)
    writes = session.workers.rank == 0
    if writes:
        for warning in _warnings(session):
            say(warning)
        if not resume:
            folder.start(session.recipe, session.splits)
    saver = _Saver(folder, save_seconds, on_step, on_epoch, writes)
    trainer, progress = run_session(
        session, saver.hooks(), load=folder.load_state if resume else lambda: None, say=say
    )
    return _finish(session, folder, trainer, progress, saver.last, writes)


class _Saver:
    """Saves what a run needs to be resumed and remembered, as it goes on."""

    def __init__(
        self,
        folder: RunFolder,
        seconds: float,
        on_step: Callable[[StepReport], object] | None,
        on_epoch: Callable[[EpochReport], object] | None,
        writes: bool,
    ) -> None:
        self.folder, self.seconds, self.writes = folder, seconds, writes
        self.on_step, self.on_epoch = on_step, on_epoch
        self.last: Arrays = {}
        self._saved = time.monotonic()

    def hooks(self) -> Hooks:
        return Hooks(self.after_step, self.after_epoch, self.keep)

    def after_step(
        self, report: StepReport, progress: Progress, state: Callable[[], Arrays]
    ) -> None:
        if self.on_step:
            self.on_step(report)
        # The epoch's last step is saved by after_epoch, with its validation.
        due = time.monotonic() - self._saved >= self.seconds and report.step < report.steps
        if self.writes and due:
            self._save(progress, state)

    def after_epoch(
        self, report: EpochReport, progress: Progress, state: Callable[[], Arrays]
    ) -> None:
        if self.writes:
            self.folder.write_history(progress)
            self._save(progress, state)
        if self.on_epoch:
            self.on_epoch(report)

    def keep(self, name: str, arrays: Arrays) -> None:
        if name == "last":
            self.last = arrays
        if self.writes:
            self.folder.write_weights(name, arrays)

    def _save(self, progress: Progress, state: Callable[[], Arrays]) -> None:
        self.folder.save_state(state(), progress)
        self._saved = time.monotonic()


def _finish(
    session: Session,
    folder: RunFolder,
    trainer: Trainer,
    progress: Progress,
    last: Arrays,
    writes: bool,
) -> Run:
    """Put the kept weights into the network, measure them, and write the results."""
    recipe, splits = session.recipe, session.splits
    if not last:  # resumed after the last epoch's state was saved
        last = load_weights(folder.path / "last.ckpt")
    weights = last
    if recipe.keep == "best" and progress.best_epoch is not None and writes:
        weights = load_weights(folder.path / "best.ckpt")
    put_weights(trainer.parameters, weights)
    net = trainer.net
    net.set_train(False)
    if not writes:
        return Run(folder.path, net, {})
    results: dict[str, Classification] = {}
    for part, samples in (("test", splits.test), ("validation", splits.validation)):
        if len(samples):
            results[part] = evaluate_samples(net, samples, session.start.contract)
    metrics: dict[str, Any] = {}
    for part, result in results.items():
        summary = {k: v for k, v in result.summary(splits.classes).items() if k != "per_class"}
        metrics.update(summary if not metrics else {})
        metrics[part] = summary
    metrics["epochs"] = recipe.epochs
    if progress.best_epoch is not None:
        metrics["best_epoch"] = progress.best_epoch
    _write_results(session, folder, weights, progress, results, metrics)
    net.zoohub = _provenance(folder.path, None)
    return Run(folder.path, net, metrics)


def _write_results(
    session: Session,
    folder: RunFolder,
    weights: Arrays,
    progress: Progress,
    results: dict[str, Classification],
    metrics: dict[str, Any],
) -> None:
    import json

    recipe, splits, start = session.recipe, session.splits, session.start
    file = folder.write_weights(Path(WEIGHTS).stem, weights)
    folder.write_safetensors(weights)
    folder.write_history(progress)
    folder.write_text("curve.svg", learning_curve(progress.history))
    part, result = next(iter(results.items()), ("", None))
    if result is not None:
        folder.write_text("confusion.svg", confusion_matrix(result.confusion, splits.classes))
    samples = splits.test if part == "test" else splits.validation
    name = folder.path.resolve().name
    page = report_page(
        name, recipe, splits, progress.history, part, result, samples, _warnings(session)
    )
    folder.write_text("report.html", page)
    content = file.read_bytes()
    document = run_document(
        name=name,
        entry=start.entry,
        start=start.checkpoint if start.path is not None else None,
        spec=start.spec,
        contract=start.contract,
        classes=splits.classes,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        dataset=name if recipe.data.kind != "digits" else "uci-digits",
        mindspore=ms.__version__,
        metrics={**metrics, "data": describe(session)},
    )
    folder.write_text(RUN_FILE, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    folder.remove_state()


def load_run(path: str | Path) -> Run:
    """A finished run's network and figures.

    Raises:
        DataError: there is no finished run. CheckpointCorrupt: its files do not fit together.
    """
    from zoohub.networks.loading import create_network

    saved = open_run(path)
    assert saved.checkpoint.network is not None
    net, report = create_network(saved.checkpoint.network, saved.weights)
    net.zoohub = _provenance(saved.path, report)
    return Run(saved.path, net, dict(saved.metrics))


def _provenance(path: Path, report: Any) -> Provenance:
    saved = open_run(path)
    return Provenance(
        entry=saved.entry,
        checkpoint=saved.checkpoint,
        input=saved.checkpoint.input,
        classes=saved.classes,
        path=saved.weights,
        report=report,
    )


def _resumed(model: str | Path | Recipe, output: str | Path | None) -> Path:
    """The folder to resume: named by `output`, or in the place of the model."""
    if output is not None or isinstance(model, Recipe):
        return Path(output or ".")
    return Path(model)


def _warnings(session: Session) -> list[str]:
    splits = session.splits
    warnings = list(splits.warnings)
    for path, reason in list(splits.skipped.items())[:10]:
        warnings.append(f"left out: {path}: {reason}")
    if len(splits.skipped) > 10:
        warnings.append(f"… and {len(splits.skipped) - 10} more pictures left out")
    if len(splits.train) < session.recipe.batch_size:
        warnings.append(
            f"{len(splits.train)} training pictures do not fill a batch of "
            f"{session.recipe.batch_size}: they are repeated in it"
        )
    return warnings
