"""More epochs for a run, finished or not: what a finished one keeps for that, and how it goes on.

`last.ckpt` of a finished run has, beside the weights, what training needs of them; with the
lines of `metrics.jsonl` that is the run's state after its last epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from zoohub.checkpoint import load_weights
from zoohub.core.binding import read_text
from zoohub.core.counting import counted
from zoohub.errors import DataError, RecipeError
from zoohub.models.runs import RUN_FILE, is_run
from zoohub.running import Array
from zoohub.tasks.finding import task_of_recipe
from zoohub.tasks.recipe import Recipe, recipe_text
from zoohub.training.epochs import overdue, ranked
from zoohub.training.reports import Progress
from zoohub.training.run_folder import RECIPE, RunFolder
from zoohub.training.steps.trainer import Arrays

_LAST = "last.ckpt"
_BEFORE = "train."  # what stands before the names of all that is no weight of the network
# The trainer's names of its slots, as readers of checkpoints know an optimiser's.
_SLOTS = {"first.": "exp_avg.", "second.": "exp_avg_sq."}


def with_state(weights: Mapping[str, Array], state: Mapping[str, Array]) -> Arrays:
    """The last weights as they are kept, and of the trainer's state what they do not say."""
    kept = dict(weights)
    for name, array in state.items():
        kind, _, rest = name.partition(".")
        same = kind in ("net", "ema") and rest in weights
        if not (same and array.dtype == weights[rest].dtype and (array == weights[rest]).all()):
            kept[_BEFORE + _renamed(name, _SLOTS)] = array
    return kept


def state_in(arrays: Mapping[str, Array], *, averaged: bool) -> Arrays:
    """The trainer's state again; empty where the file is of a version that did not keep it."""
    own = {name.removeprefix(_BEFORE): a for name, a in arrays.items() if name.startswith(_BEFORE)}
    if "step_count" not in own:
        return {}
    weights = {name: a for name, a in arrays.items() if not name.startswith(_BEFORE)}
    kinds = ("net", "ema") if averaged else ("net",)
    implied = {f"{kind}.{name}": array for kind in kinds for name, array in weights.items()}
    back = {theirs: ours for ours, theirs in _SLOTS.items()}
    return implied | {_renamed(name, back): array for name, array in own.items()}


def keep_state(folder: RunFolder) -> None:
    """Put the saved state of a run that has just finished into its `last.ckpt`."""
    saved = folder.load_state()
    if saved is not None:
        folder.write_weights("last", with_state(load_weights(folder.path / _LAST), saved[0]))


def extend(folder: RunFolder, epochs: int) -> Recipe:
    """Make the run in `folder` one of `epochs` epochs, to be resumed; its recipe from now on.

    The schedule is from now on that of a run of so many epochs: constant, the weights will be
    those of a run that was planned so, bit for bit; else the learning rate goes on from where such
    a run would be. A run that had stopped early does not do so again.

    Raises:
        RecipeError: it has as many already. DataError: what it needs to go on was not kept.
    """
    recipe = folder.recipe()
    finished = is_run(folder.path)
    state, progress = _finished_state(folder, recipe) if finished else _saved_state(folder)
    if epochs <= progress.epoch:
        raise RecipeError(
            f"{folder.path}: this run has {counted(progress.epoch, 'epoch')} already; to go on, "
            "give --epochs a larger number: how many it shall have in all"
        )
    stopped = overdue(task_of_recipe(recipe), recipe, progress)
    longer = replace(recipe, epochs=epochs)
    if stopped:
        longer = replace(longer, early_stopping=None)
    longer = read_text(recipe_text(longer), type(recipe), "options")  # checks the bounds
    if finished:
        folder.make_state_folder()
        folder.save_state(state, progress)
    folder.write_text(RECIPE, recipe_text(longer))
    (folder.path / RUN_FILE).unlink(missing_ok=True)
    return longer


def trained_epochs(folder: RunFolder) -> int | None:
    """How many epochs a finished run has; None where it is under way and has as many planned as
    its recipe says."""
    if not is_run(folder.path):
        return None
    return len(folder.history())


def _saved_state(folder: RunFolder) -> tuple[Arrays, Progress]:
    return folder.load_state() or ({}, Progress())


def _finished_state(folder: RunFolder, recipe: Recipe) -> tuple[Arrays, Progress]:
    """The state after a finished run's last epoch."""
    saved = folder.load_state()  # killed before it was removed
    if saved is not None:
        return saved
    path = folder.path / _LAST
    arrays = load_weights(path) if path.is_file() else {}
    state = state_in(arrays, averaged=recipe.ema is not None)
    if not state:
        raise DataError(
            f"{folder.path}: this run is finished, and what its optimiser needs to go on was not "
            f"kept (older versions of zoohub did not); start a new run from its weights: "
            f"zoohub finetune {folder.path} --data … --output …"
        )
    history = folder.history()
    progress = Progress(epoch=len(history), history=history)
    task = task_of_recipe(recipe)
    for line in history:
        figures = (*task.best, *task.instead.values())
        found = {key: line.get(f"validation_{key}") for key in figures}
        rank = ranked(task, found, history)
        if rank is not None and (progress.best_epoch is None or rank > progress.best):
            progress.best_epoch, progress.best = int(line["epoch"]), rank
    return state, progress


def _renamed(name: str, names: Mapping[str, str]) -> str:
    for before, after in names.items():
        if name.startswith(before):
            return after + name.removeprefix(before)
    return name
