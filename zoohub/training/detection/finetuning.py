"""`zoohub.finetune` for detectors: the run's folder, its results, and going on after a stop."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import mindspore as ms

from zoohub.checkpoint import load_weights
from zoohub.inference.predict import predict_inputs
from zoohub.inference.runner import CellRunner
from zoohub.settings import Settings, load_settings
from zoohub.training.detection.augment import BoxAugment
from zoohub.training.detection.loop import BoxEpoch, BoxHooks, BoxProgress, BoxStep
from zoohub.training.detection.reading import box_data_for, read_boxes
from zoohub.training.detection.recipe import (
    BoxData,
    BoxesData,
    DetectionRecipe,
    read_detection_recipe,
)
from zoohub.training.detection.report import SHOWN, box_curve, box_page
from zoohub.training.detection.samples import BoxSplits
from zoohub.training.detection.session import (
    DetectionSession,
    evaluate_part,
    open_detection,
    run_detection_session,
)
from zoohub.training.execute import SAVE_SECONDS, Say
from zoohub.training.folder import RECIPE, RunFolder
from zoohub.training.planning import assign, is_recipe_file, no_data, with_overrides
from zoohub.training.recipe import Network, Optimizer, Schedule, recipe_text
from zoohub.training.run import Run, load_run
from zoohub.training.saved import RUN_FILE, WEIGHTS, is_run, run_document
from zoohub.training.start import find_start
from zoohub.training.trainer import Arrays, Trainer, put_weights


def finetune_detection(
    model: str | Path | DetectionRecipe,
    data: str | Path | BoxData | None = None,
    *,
    output: str | Path | None = None,
    checkpoint: str | None = "default",
    epochs: int | None = None,
    lr: float | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    assignments: Sequence[str] = (),
    resume: bool = False,
    settings: Settings | None = None,
    on_step: Callable[[BoxStep], object] | None = None,
    on_epoch: Callable[[BoxEpoch], object] | None = None,
    say: Say = lambda text: None,
    save_seconds: float = SAVE_SECONDS,
) -> Run:
    """Adapt a detector to pictures with boxes. Arguments as for `zoohub.finetune`, but:

    Args:
        model: a YOLOv5 of the index, a run's folder, a recipe with `task: object-detection`.
        data: a data.yaml in YOLO's format, a .json file in COCO's, or `digit-scenes`.

    Raises:
        RecipeError, DataError: a setting or the data.
        UnknownModel, NetworkNotAvailable, DownloadError: the model, as for `zoohub.load`.
        StoreError, NoSpaceError: the folder cannot be written; what was saved before is whole.
    """
    settings = settings or load_settings()
    if resume:
        folder = DetectionFolder(Path(output or str(model)))
        if is_run(folder.path):
            say(f"{folder.path}: this run is finished already")
            return load_run(folder.path)
        recipe = read_detection_recipe(folder.path / RECIPE)
    else:
        given = box_data_for(data) if isinstance(data, str | Path) else data
        recipe = _plan(model, given, checkpoint, settings, assignments)
        recipe = with_overrides(recipe, epochs=epochs, lr=lr, batch_size=batch_size, seed=seed)
        folder = DetectionFolder(Path(output) if output else _default_output(recipe))
    session = open_detection(recipe, settings)
    for warning in session.splits.warnings:
        say(warning)
    if not resume:
        folder.claim(recipe_text(session.recipe), split_table(session.splits))
    saver = _Saver(folder, save_seconds, on_step, on_epoch)
    _, trainer, progress = run_detection_session(
        session, saver.hooks(), load=folder.load_boxes if resume else lambda: None
    )
    return _finish(session, folder, trainer, progress, saver.last)


class DetectionFolder(RunFolder):
    """A detector's run folder; as a classifier's, without a confusion matrix."""

    progress_type = BoxProgress

    def load_boxes(self) -> tuple[Arrays, BoxProgress] | None:
        """The saved state, as `load_state`."""
        return cast("tuple[Arrays, BoxProgress] | None", self.load_state())


def default_detection_recipe(
    model: str, checkpoint: str | None, data: BoxData, pictures: int
) -> DetectionRecipe:
    """Sensible settings for `pictures` training pictures: about 1,500 steps, 5 to 100 epochs.

    Mosaics but for the last tenth of the epochs, YOLOv5's changes of size and colour, averaged
    weights; a pretrained network learns gently, a fresh one four times as fast.
    """
    batch = 16 if pictures >= 64 else 8
    steps = max(1, pictures // batch)
    epochs = min(100, max(5, round(1500 / steps)))
    fresh = checkpoint is None
    mirrored = 0.0 if data.kind == "digit-scenes" else 0.5
    return DetectionRecipe(
        task="object-detection",
        model=model,
        checkpoint=checkpoint,
        data=data,
        augment=BoxAugment(last=max(1, epochs // 10), flip=mirrored),
        optimizer=Optimizer(name="adamw", lr=2e-3 if fresh else 5e-4, weight_decay=0.01, clip=10.0),
        schedule=Schedule(warmup=min(1.0, epochs / 10), final=0.01),
        epochs=epochs,
        batch_size=min(batch, max(1, pictures)),
        ema=0.998,
    )


def _plan(
    model: str | Path | DetectionRecipe,
    data: BoxData | None,
    checkpoint: str | None,
    settings: Settings,
    assignments: Sequence[str],
) -> DetectionRecipe:
    if isinstance(model, DetectionRecipe):
        recipe = model if data is None else replace(model, data=data)
        return assign(recipe, assignments)
    if is_recipe_file(model):
        recipe = read_detection_recipe(model, assignments)
        if data is not None:
            return replace(recipe, data=data)
        if isinstance(recipe.data, BoxesData):
            where = Path(model).parent / Path(recipe.data.path).expanduser()
            return replace(recipe, data=replace(recipe.data, path=str(where.absolute())))
        return recipe
    name, _, id = str(model).partition("@")
    if data is None:
        raise no_data(name)
    if isinstance(data, BoxesData):
        data = replace(data, path=str(Path(data.path).expanduser().absolute()))
    recipe = default_detection_recipe(name, id or checkpoint, data, len(read_boxes(data).train))
    probe, start = find_start(recipe, settings)
    network = Network(start.spec.builder, dict(start.spec.arguments), start.spec.head)
    recipe = replace(recipe, model=probe.model, checkpoint=probe.checkpoint, input=probe.input)
    if start.path is None:
        recipe = replace(recipe, network=network)
    return assign(recipe, assignments)


def _default_output(recipe: DetectionRecipe) -> Path:
    path = getattr(recipe.data, "path", None)
    return Path("runs") / (Path(path).stem if path else f"{recipe.model}-{recipe.data.kind}")


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


class _Saver:
    """Saves what a run needs to be resumed and remembered, as it goes on."""

    def __init__(
        self,
        folder: DetectionFolder,
        seconds: float,
        on_step: Callable[[BoxStep], object] | None,
        on_epoch: Callable[[BoxEpoch], object] | None,
    ) -> None:
        self.folder, self.seconds = folder, seconds
        self.on_step, self.on_epoch = on_step, on_epoch
        self.last: Arrays = {}
        self._saved = time.monotonic()

    def hooks(self) -> BoxHooks:
        return BoxHooks(self.after_step, self.after_epoch, self.keep)

    def after_step(
        self, report: BoxStep, progress: BoxProgress, state: Callable[[], Arrays]
    ) -> None:
        if self.on_step:
            self.on_step(report)
        due = time.monotonic() - self._saved >= self.seconds and report.step < report.steps
        if due:
            self._save(progress, state)

    def after_epoch(
        self, report: BoxEpoch, progress: BoxProgress, state: Callable[[], Arrays]
    ) -> None:
        self._write_history(progress)
        self._save(progress, state)
        if self.on_epoch:
            self.on_epoch(report)

    def keep(self, name: str, arrays: Arrays) -> None:
        if name == "last":
            self.last = arrays
        self.folder.write_weights(name, arrays)

    def _save(self, progress: BoxProgress, state: Callable[[], Arrays]) -> None:
        self.folder.save_state(state(), progress)
        self._saved = time.monotonic()

    def _write_history(self, progress: BoxProgress) -> None:
        self.folder.write_history(progress)


def _finish(
    session: DetectionSession,
    folder: DetectionFolder,
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
    net = trainer.net.net  # out of the cell that flattens its maps
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
    file = folder.write_weights(Path(WEIGHTS).stem, weights)
    folder.write_safetensors(weights)
    folder.write_history(progress)
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
        dataset="uci-digits" if recipe.data.kind == "digit-scenes" else name,
        mindspore=ms.__version__,
        metrics=metrics,
        task="object-detection",
    )
    folder.write_text(RUN_FILE, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    folder.remove_state()
    return Run(folder.path, load_run(folder.path).net, metrics)
