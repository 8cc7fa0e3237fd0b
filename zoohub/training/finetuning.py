"""`zoohub.finetune`: a network adapted to data, and the folder that the run leaves behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from zoohub.core.binding import assign_part
from zoohub.core.paths import expanded, name_or_path
from zoohub.core.values import checked
from zoohub.errors import UsageError
from zoohub.manifest.entry import InputContract
from zoohub.models.memory import check_memory
from zoohub.models.runs import is_run
from zoohub.settings import Settings, settings_for
from zoohub.tasks.contract import AnyTask
from zoohub.tasks.finding import find_reader, reader_of, task_of_recipe, task_to_learn
from zoohub.tasks.recipe import Recipe, data_of
from zoohub.tasks.samples import AnySplits
from zoohub.tasks.texts import with_vocabulary
from zoohub.training.extending import extend, trained_epochs
from zoohub.training.options import (
    SAVE_SECONDS,
    Listeners,
    Machines,
    Overrides,
    Saving,
    Say,
    Workers,
)
from zoohub.training.planning import (
    assign,
    default_output,
    folder_to_resume,
    is_recipe_file,
    model_and_checkpoint,
    no_data,
    note_unused,
    recipe_from_file,
    started_from,
    with_checkpoint,
    with_data,
    with_overrides,
)
from zoohub.training.recorded import run_into
from zoohub.training.reports import EpochReport, StepReport
from zoohub.training.run import Run, load_run
from zoohub.training.run_folder import RunFolder
from zoohub.training.session import check_freeze
from zoohub.training.starting_point import Origin, find_origin, find_start, own_file
from zoohub.training.tensorboard import with_event_files


@checked
def finetune(
    model: str | Path | Recipe,
    data: object = None,
    *,
    output: str | Path | None = None,
    checkpoint: str | Path | None = "default",
    ema: bool = False,
    epochs: int | None = None,
    lr: float | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
    freeze: str | None = None,
    views: int | None = None,
    assignments: Sequence[str] = (),
    resume: bool = False,
    workers: int = 1,
    master: str | None = None,
    node_rank: int | None = None,
    nodes: int = 1,
    settings: Settings | None = None,
    device: str | None = None,
    offline: bool | None = None,
    force: bool = False,
    on_step: Callable[[StepReport], object] | None = None,
    on_epoch: Callable[[EpochReport], object] | None = None,
    say: Say = lambda text: None,
    save_seconds: float = SAVE_SECONDS,
    tensorboard: bool = False,
) -> Run:
    """Adapt a network to data of one's own; without a recipe, settings follow from the data's size.

    Args:
        model: a model or checkpoint (`resnet50`, `resnet50@mindcv`), a run's folder, a recipe's
            .yaml file, or a `Recipe`.
        data: what the model's task reads. For a classifier: a folder a class (or train/ and val/
            above), a .csv or .jsonl file with `path` and `label`, or `digits`; for a detector: a
            data.yaml in YOLO's format, a .json file in COCO's, or `digit-scenes`. None: what the
            recipe says.
        output: the run's folder; None is `runs/<name of the data>`.
        checkpoint: the weights to start from where `model` is no recipe: an id, `default`, a
            file's path (a `Path`, or a text that begins with `.`, `/` or `~` or ends like the name
            of a weights file), or None for fresh weights.
        ema: start from the moving average of the weights in that file; as `start_ema: true` in a
            recipe.
        epochs, lr, batch_size, seed: in place of the recipe's; a batch size without `lr` scales
            the learning rate. The batch is global, over all workers.
        freeze: `backbone` trains the head alone: what the rest gives for a picture is computed
            once and kept while the run goes on.
        views: with `freeze`, of how many random variants a picture (1); of one, a planned recipe
            takes the picture as it is.
        assignments: further `KEY.KEY=VALUE`, as `--set`.
        resume: go on with the run in `output`; all other settings are then the folder's own, but
            for `epochs`: so many in all, for a finished run too. With a constant schedule that
            gives the weights of a run that was planned so; else the learning rate goes on from
            where that of such a run would be.
        tensorboard: whether event files for TensorBoard are written into the run's folder, beneath
            `tensorboard/` (`pip install 'zoohub[tensorboard]'`).
        workers: processes to train with on this machine, started by MindSpore's msrun.
        master: HOST[:PORT] of the first machine, where several train together.
        node_rank: which of the machines this is, from 0.
        nodes: how many machines there are.
        settings: zoohub's settings; None reads them.
        device, offline, force: as for `zoohub.load`.
        on_step, on_epoch: called with a report as the run goes on.
        say: called with sentences for the user (warnings among them).
        save_seconds: how often the state to resume from is saved, besides after each epoch.

    Returns:
        The finished run; `zoohub.load(run.path)` gives its network again. Of several machines the
        first has it: elsewhere the run's network is None.

    Raises:
        RecipeError: a setting; DataError: the data, or a run in `output` already.
        UsageError: nothing says what to train on, or `views` comes without `freeze`.
        UnknownModel, NetworkNotAvailable, DownloadError, NotEnoughMemory: the model, as for
            `zoohub.load`.
        StoreError, NoSpaceError: the folder cannot be written; what was saved before is whole.
    """
    settings = settings or settings_for(offline=offline, device=device)
    checkpoint = started_from(checkpoint)
    if not isinstance(model, Recipe):
        model = name_or_path(model)
    if freeze is not None:
        assignments = (*assignments, f"freeze={freeze}")
    if views is not None:
        assignments = (*assignments, f"views={views}")
    machines = Machines(workers, nodes, master, node_rank)
    machines.check()
    if ema:
        assignments = (*assignments, "start_ema=true")
    overrides = Overrides(epochs, lr, batch_size, seed, assignments)
    saving = Saving(expanded(output) if output else None, resume, save_seconds)
    listeners = Listeners(say, on_step, on_epoch)
    splits: AnySplits | None = None
    if resume:
        folder = RunFolder(folder_to_resume(model, saving.output, data))
        recipe = folder.recipe()
        note_unused(recipe, say, replace(overrides, epochs=None))
        if epochs is not None and epochs != trained_epochs(folder):
            recipe = extend(folder, epochs)
        if is_run(folder.path):
            others = "; on other machines, interrupt the command: it waits for this one"
            say(f"{folder.path}: this run is finished already" + (others if nodes > 1 else ""))
            return load_run(folder.path)
        check_fits(recipe, settings, force)
    else:
        recipe, splits = plan_recipe(model, data, checkpoint, settings, overrides, force)
        recipe = with_overrides(recipe, overrides)
        folder = RunFolder(saving.output or default_output(recipe))
    if tensorboard:
        listeners = with_event_files(listeners, folder.path / "tensorboard")
    if machines.several:
        check_freeze(task_of_recipe(recipe), recipe, Workers(machines.workers * machines.nodes))
        from zoohub.training.several.launch import launch

        return launch(recipe, folder, machines, saving, listeners)
    return run_into(
        folder,
        recipe,
        listeners,
        splits=splits,
        resume=resume,
        seconds=save_seconds,
        settings=settings,
    )


def plan_recipe(
    model: str | Path | Recipe,
    data: object,
    checkpoint: str | None,
    settings: Settings,
    overrides: Overrides,
    force: bool = False,
) -> tuple[Recipe, AnySplits | None]:
    """The recipe of a run: the user's own, or one that suits the model and the data's size.

    Also gives the data, where that had to be read for it.

    Raises:
        As `finetune`.
    """
    if isinstance(model, Recipe):
        recipe = with_checkpoint(_with_data(model, data), checkpoint)
        recipe = assign(recipe, overrides.assignments)
        check_fits(recipe, settings, force)
        return recipe, None
    if is_recipe_file(model):
        recipe = with_checkpoint(_with_data(recipe_from_file(model, overrides), data), checkpoint)
        check_fits(recipe, settings, force)
        return recipe, None
    name, wanted = model_and_checkpoint(str(model), checkpoint)
    if data is None:
        raise no_data(name)
    blank = Recipe(model=name, checkpoint=wanted)
    origin = check_fits(blank, settings, force)
    entry = origin.entry
    assert entry is not None
    spec = entry.network_of(origin.checkpoint)
    task = task_to_learn(entry.task, spec, data)
    if spec is not None:
        task.check_network(task.network_for(spec))  # nothing is fetched in vain
    about_freeze = [
        text for text in overrides.assignments if text.startswith(("freeze=", "views="))
    ]
    asked = assign(blank, about_freeze)
    if asked.freeze is not None:
        task.check_freezing()
    elif asked.views is not None:
        raise UsageError("views= goes with freeze= (--views with --freeze): give both, or neither")
    described = assign_part(_described(task, data, name), "data", overrides.assignments)
    known = entry.input_of(origin.checkpoint)
    described = with_vocabulary(described, known)
    # The data is here already, and the weights may have to be fetched.
    splits = reader_of(task, described, name).read(described)
    if origin.said.input is None and (known is None or known == InputContract()):
        # What the index does not know is the user's to say.
        inputs = [text for text in overrides.assignments if text.startswith(("input.", "input="))]
        blank = assign(blank, inputs)
    probe, start = find_start(blank, settings)
    recipe = task.default_recipe(
        probe.model, probe.checkpoint, described, start.contract, len(splits.train)
    )
    recipe = task.suited(recipe, start.spec)
    explicit = replace(recipe, network=probe.network, input=probe.input, text=probe.text)
    planned = assign(explicit, overrides.assignments)
    if planned.freeze is not None and planned.views in (None, 1):
        # One random crop of each picture, again and again, says less than the picture.
        planned = assign(task.without_changes(explicit), overrides.assignments)
    return planned, splits if data_of(planned) == described else None


def check_fits(recipe: Recipe, settings: Settings, force: bool) -> Origin:
    """See that this machine's memory can hold the recipe's network, as far as the index knows it;
    gives what the recipe's model means.

    Raises:
        NotEnoughMemory: it cannot, and `force` does not say to go on.
        UnknownModel, AmbiguousReference: as `zoohub.load`.
    """
    origin = find_origin(recipe, settings)
    if origin.entry is not None:
        published = own_file(recipe.checkpoint) is None
        check_memory(origin.entry, origin.checkpoint if published else None, force)
    return origin


def _with_data(recipe: Recipe, data: object) -> Recipe:
    """The recipe on other data, where some is given."""
    if data is None:
        return recipe
    return with_data(recipe, _described(task_of_recipe(recipe), data, recipe.model))


def _described(task: AnyTask, data: object, model: str) -> object:
    """What a recipe says of the data, which is named or described already."""
    if isinstance(data, str | os.PathLike):
        data = os.fspath(data)
        return find_reader(task, data, model).describe(expanded(data))
    reader_of(task, data, model)
    return data
