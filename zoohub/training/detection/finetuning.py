"""`zoohub.finetune` for detectors: from what the user says to a recipe, and its run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from zoohub.settings import Settings, load_settings
from zoohub.training.detection.augment import BoxAugment
from zoohub.training.detection.execute import DetectionFolder, execute_detection
from zoohub.training.detection.loop import BoxEpoch, BoxStep
from zoohub.training.detection.reading import box_data_for, read_boxes
from zoohub.training.detection.recipe import (
    BoxData,
    BoxesData,
    DetectionRecipe,
    read_detection_recipe,
)
from zoohub.training.detection.samples import BoxSplits
from zoohub.training.execute import SAVE_SECONDS
from zoohub.training.fitting import Say
from zoohub.training.folder import RECIPE
from zoohub.training.launch import launch
from zoohub.training.planning import (
    assign,
    check_task,
    check_workers,
    default_output,
    folder_to_resume,
    is_recipe_file,
    model_and_checkpoint,
    no_data,
    note_unused,
    with_checkpoint,
    with_overrides,
)
from zoohub.training.recipe import Network, Optimizer, Schedule
from zoohub.training.run import Run, load_run
from zoohub.training.saved import is_run
from zoohub.training.start import find_start


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
    workers: int = 1,
    master: str | None = None,
    node_rank: int | None = None,
    nodes: int = 1,
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
    check_workers(workers, master, nodes)
    splits: BoxSplits | None = None
    if resume:
        folder = DetectionFolder(folder_to_resume(model, output, data))
        recipe = read_detection_recipe(folder.path / RECIPE)
        note_unused(
            recipe, say, assignments, epochs=epochs, lr=lr, batch_size=batch_size, seed=seed
        )
        if is_run(folder.path):
            say(f"{folder.path}: this run is finished already")
            return load_run(folder.path)
    else:
        given = box_data_for(data) if isinstance(data, str | Path) else data
        recipe, splits = _plan(model, given, checkpoint, settings, assignments)
        recipe = with_overrides(recipe, epochs=epochs, lr=lr, batch_size=batch_size, seed=seed)
        recipe = assign(recipe, assignments)  # what is set by name stays as it was set
        folder = DetectionFolder(Path(output) if output else default_output(recipe))
    if workers > 1 or nodes > 1 or node_rank:
        return launch(
            recipe, folder, resume=resume, workers=workers, master=master, node_rank=node_rank,
            nodes=nodes, save_seconds=save_seconds, say=say, on_step=on_step, on_epoch=on_epoch,
            reports=(BoxStep, BoxEpoch),
        )  # fmt: skip
    return execute_detection(
        recipe,
        folder,
        splits=splits,
        resume=resume,
        settings=settings,
        on_step=on_step,
        on_epoch=on_epoch,
        say=say,
        save_seconds=save_seconds,
    )


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
) -> tuple[DetectionRecipe, BoxSplits | None]:
    if isinstance(model, DetectionRecipe):
        recipe = model if data is None else replace(model, data=data)
        return assign(with_checkpoint(recipe, checkpoint), assignments), None
    if is_recipe_file(model):
        recipe = with_checkpoint(read_detection_recipe(model, assignments), checkpoint)
        if data is not None:
            return replace(recipe, data=data), None
        if isinstance(recipe.data, BoxesData):
            where = Path(model).parent / Path(recipe.data.path).expanduser()
            moved = replace(recipe.data, path=str(where.absolute()))
            return replace(recipe, data=moved), None
        return recipe, None
    name, wanted = model_and_checkpoint(str(model), checkpoint)
    if data is None:
        raise no_data(name)
    if isinstance(data, BoxesData):
        data = replace(data, path=str(Path(data.path).expanduser().absolute()))
    splits = read_boxes(data)
    recipe = default_detection_recipe(name, wanted, data, len(splits.train))
    probe, start = find_start(recipe, settings)
    check_task(name, start.entry, "object-detection")
    network = Network(start.spec.builder, dict(start.spec.arguments), start.spec.head)
    recipe = replace(recipe, model=probe.model, checkpoint=probe.checkpoint, input=probe.input)
    if start.path is None:
        recipe = replace(recipe, network=network)
    planned = assign(recipe, assignments)
    return planned, splits if planned.data == data else None
