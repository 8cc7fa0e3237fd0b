"""`zoohub.finetune`: a network adapted to pictures, and the folder that the run leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from zoohub.settings import Settings, load_settings
from zoohub.training.data.reading import data_for, read_splits
from zoohub.training.data.samples import Splits
from zoohub.training.defaults import default_recipe
from zoohub.training.detection.reading import wants_detection
from zoohub.training.execute import SAVE_SECONDS, execute
from zoohub.training.fitting import Say
from zoohub.training.folder import RunFolder
from zoohub.training.loop import EpochReport, StepReport
from zoohub.training.planning import (
    assign,
    check_task,
    check_workers,
    default_output,
    folder_to_resume,
    is_recipe_file,
    model_and_checkpoint,
    note_unused,
    recipe_from_file,
    require_data,
    with_checkpoint,
    with_overrides,
)
from zoohub.training.recipe import Data, Recipe
from zoohub.training.run import Run, load_run
from zoohub.training.saved import is_run
from zoohub.training.start import find_start


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
        The finished run; `zoohub.load(run.path)` gives its network again. Of several machines the
        first has it: elsewhere the run's network is None.

    Raises:
        RecipeError: a setting; DataError: the pictures, or a run in `output` already.
        UnknownModel, NetworkNotAvailable, DownloadError: the model, as for `zoohub.load`.
        StoreError, NoSpaceError: the folder cannot be written; what was saved before is whole.
    """
    settings = settings or load_settings()
    check_workers(workers, master, nodes)
    if wants_detection(model, data, output, resume=resume):
        from zoohub.training.detection.finetuning import finetune_detection

        return finetune_detection(
            cast(Any, model), cast(Any, data), output=output, checkpoint=checkpoint, epochs=epochs,
            lr=lr, batch_size=batch_size, seed=seed, assignments=assignments, resume=resume,
            workers=workers, master=master, node_rank=node_rank, nodes=nodes, settings=settings,
            on_step=cast(Any, on_step), on_epoch=cast(Any, on_epoch), say=say,
            save_seconds=save_seconds,
        )  # fmt: skip
    splits: Splits | None = None
    if resume:
        folder = RunFolder(folder_to_resume(model, output, data))
        recipe = folder.recipe()
        note_unused(
            recipe, say, assignments, epochs=epochs, lr=lr, batch_size=batch_size, seed=seed
        )
        if is_run(folder.path):
            say(f"{folder.path}: this run is finished already")
            return load_run(folder.path)
    else:
        recipe, splits = plan_recipe(
            model,
            None if data is None else data_for(data),
            checkpoint=checkpoint,
            settings=settings,
            assignments=assignments,
        )
        recipe = with_overrides(recipe, epochs=epochs, lr=lr, batch_size=batch_size, seed=seed)
        recipe = assign(recipe, assignments)  # what is set by name stays as it was set
        folder = RunFolder(Path(output) if output else default_output(recipe))
    if workers > 1 or nodes > 1 or node_rank:
        from zoohub.training.launch import launch

        return launch(
            recipe, folder, resume=resume, workers=workers, master=master, node_rank=node_rank,
            nodes=nodes, save_seconds=save_seconds, say=say, on_step=on_step, on_epoch=on_epoch,
        )  # fmt: skip
    return execute(
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


def plan_recipe(
    model: str | Path | Recipe,
    data: Data | None,
    *,
    checkpoint: str | None,
    settings: Settings,
    assignments: Sequence[str] = (),
) -> tuple[Recipe, Splits | None]:
    """The recipe of a run: the user's own, or one that suits the model and the data's size.

    Also gives the data, where that had to be read for it.

    Raises:
        As `finetune`.
    """
    if isinstance(model, Recipe):
        recipe = model if data is None else replace(model, data=data)
        return assign(with_checkpoint(recipe, checkpoint), assignments), None
    if is_recipe_file(model):
        return with_checkpoint(recipe_from_file(model, data, assignments), checkpoint), None
    name, wanted = model_and_checkpoint(str(model), checkpoint)
    data = require_data(data, name)
    probe, start = find_start(Recipe(model=name, data=data, checkpoint=wanted), settings)
    check_task(name, start.entry, "image-classification")
    splits = read_splits(data)
    recipe = default_recipe(probe.model, probe.checkpoint, data, start.contract, len(splits.train))
    explicit = replace(recipe, network=probe.network, input=probe.input)
    planned = assign(explicit, assignments)
    return planned, splits if planned.data == data else None
