"""From what the user says of a run to its recipe: pure, but for reading a recipe file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from zoohub.api import is_path
from zoohub.errors import DataError, RecipeError
from zoohub.manifest.entry import Entry
from zoohub.training.binding import plain, read_text
from zoohub.training.folder import RECIPE
from zoohub.training.recipe import (
    Data,
    FolderData,
    Recipe,
    Schedule,
    TableData,
    TrainingRun,
    read_recipe,
    recipe_text,
)

R = TypeVar("R", bound=TrainingRun)
_FILES = (".csv", ".jsonl", ".json", ".yaml", ".yml")
_ANY_DATA = ("data", "dataset", "labels", "annotations", "_annotations.coco")


def is_recipe_file(name: str | Path) -> bool:
    """Whether the user named a recipe's file rather than a model."""
    return Path(name).suffix.lower() in (".yaml", ".yml")


def recipe_from_file(path: str | Path, data: Data | None, assignments: Sequence[str]) -> Recipe:
    """The recipe in a file, with `--data` and `--set` put in.

    A relative data path in it is relative to the recipe's folder.
    """
    recipe = read_recipe(path, assignments)
    if data is not None:
        return dataclasses.replace(recipe, data=data)
    if isinstance(recipe.data, FolderData | TableData):
        where = Path(path).parent / Path(recipe.data.path).expanduser()
        moved = dataclasses.replace(recipe.data, path=str(where.absolute()))
        return dataclasses.replace(recipe, data=moved)
    return recipe


def assign(recipe: R, assignments: Sequence[str]) -> R:
    """The recipe with `KEY.KEY=VALUE` assignments put in. Raises RecipeError as `read_recipe`."""
    if not assignments:
        return recipe
    return read_text(recipe_text(recipe), type(recipe), "recipe", assignments)


def with_overrides(
    recipe: R,
    *,
    epochs: int | None = None,
    lr: float | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
) -> R:
    """The recipe with the values that were given.

    Another batch size without a learning rate scales the rate: in proportion for SGD (Goyal et
    al. 2017), with the square root for AdamW; a larger batch also gets an epoch of warm-up.

    Raises:
        RecipeError: a value is out of bounds.
    """
    schedule, optimizer = recipe.schedule, recipe.optimizer
    if batch_size is not None and lr is None and batch_size > 0:
        lr = scaled_rate(optimizer.name, optimizer.lr, recipe.batch_size, batch_size)
        if batch_size > recipe.batch_size:
            schedule = dataclasses.replace(schedule, warmup=max(1.0, schedule.warmup))
    given = {
        "optimizer": dataclasses.replace(optimizer, lr=optimizer.lr if lr is None else lr),
        "schedule": _shortened(schedule, epochs),
        "epochs": recipe.epochs if epochs is None else epochs,
        "batch_size": recipe.batch_size if batch_size is None else batch_size,
        "seed": recipe.seed if seed is None else seed,
    }
    changed = dataclasses.replace(recipe, **given)  # type: ignore[arg-type]
    if plain(changed) == plain(recipe):
        return recipe
    return read_text(recipe_text(changed), type(recipe), "options")  # checks the bounds


def scaled_rate(optimizer: str, lr: float, before: int, after: int) -> float:
    """The learning rate for a batch of `after` where `lr` was right for `before`."""
    ratio = after / before
    return lr * (ratio if optimizer == "sgd" else math.sqrt(ratio))


def _shortened(schedule: Schedule, epochs: int | None) -> Schedule:
    """Warm-up takes at most a fifth of the run."""
    if epochs is None or epochs < 1:
        return schedule
    return dataclasses.replace(schedule, warmup=min(schedule.warmup, epochs / 5))


def model_and_checkpoint(name: str, checkpoint: str | None) -> tuple[str, str | None]:
    """What a model's name and the checkpoint asked for mean together.

    `NAME@ID` is that checkpoint where none is asked for by itself; with fresh weights or a file's
    it still names the network.

    Raises:
        RecipeError: both name one.
    """
    if is_path(name) or "@" not in name:
        return name, checkpoint
    model, _, own = name.partition("@")
    if checkpoint == "default":
        return model, own
    if checkpoint is None or is_path(checkpoint):
        return name, checkpoint
    raise RecipeError(f"{name} names a checkpoint already; leave out {checkpoint!r}")


def with_checkpoint(recipe: R, checkpoint: str | None) -> R:
    """A recipe's own start, but where another than the default is asked for."""
    if checkpoint == "default":
        return recipe
    own, model = recipe.checkpoint, recipe.model
    if own not in (None, "default") and not is_path(own) and not is_path(model):
        model = f"{model}@{own}"  # still names the network
    return dataclasses.replace(recipe, model=model, checkpoint=checkpoint)


def check_task(model: str, entry: Entry | None, task: str) -> None:
    """See that the model learns from such data.

    Raises:
        RecipeError: it is another task's.
    """
    if entry is None or entry.task == task:
        return
    wants = (
        "pictures with boxes: a data.yaml in YOLO's format or a .json file in COCO's"
        if entry.task == "object-detection"
        else "pictures with labels: a folder a class, a .csv or a .jsonl file"
    )
    raise RecipeError(f"{model} ({entry.task}) learns from {wants}")


def note_unused(
    recipe: R,
    say: Callable[[str], object],
    assignments: Sequence[str],
    **overrides: Any,
) -> None:
    """Say that a resumed run keeps its settings, where others are given."""
    if plain(assign(with_overrides(recipe, **overrides), assignments)) != plain(recipe):
        say(
            "a resumed run keeps its own settings (its recipe.yaml); what was given now is not used"
        )


def check_workers(workers: int, master: str | None, nodes: int) -> None:
    """See that there is somebody to train.

    Raises:
        RecipeError: there is not, or other machines are meant without saying how many.
    """
    for option, count in (("--workers", workers), ("--nodes", nodes)):
        if count < 1:
            raise RecipeError(f"{option}: expected a number from 1, found {count}")
    if master is not None and workers * nodes == 1:
        raise RecipeError(f"--master {master}: say how many machines there are (--nodes)")


def require_data(data: Data | None, name: str) -> Data:
    """The data, which only a recipe can go without naming.

    Raises:
        RecipeError: there is none.
    """
    if data is None:
        raise no_data(name)
    return data


def no_data(name: str) -> RecipeError:
    """What to say where only a recipe could go without `--data`."""
    return RecipeError(f"{name}: say what to train on (--data), or give a recipe's file")


def default_output(recipe: Any) -> Path:
    """`runs/<name of the data>`, for the recipe of any task."""
    path = getattr(recipe.data, "path", None)
    return Path("runs") / (data_name(path) if path else f"{recipe.model}-{recipe.data.kind}")


def data_name(path: str | Path) -> str:
    """What to call data: its file's or folder's name, or its folder's where all files are called
    the same."""
    place = Path(path)
    if place.suffix.lower() not in _FILES:
        return place.name
    return place.absolute().parent.name if place.stem.lower() in _ANY_DATA else place.stem


def folder_to_resume(model: object, output: str | Path | None, data: object = None) -> Path:
    """The folder to resume: `output`, or in the place of the model, or where a run on `data` goes.

    Raises:
        DataError: there is no run in it.
    """
    places = [] if output is None else [Path(output)]
    if output is None and isinstance(model, str | Path):
        places.append(Path(model).expanduser())
    if output is None and isinstance(data, str | Path):
        places.append(Path("runs") / data_name(data))
    for place in places:
        if (place / RECIPE).is_file():
            return place
    looked = " and ".join(map(str, places)) or "nowhere"
    raise DataError(f"no run to resume; looked in {looked}; name its folder (--output)")
