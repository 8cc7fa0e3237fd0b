"""From what the user says of a run to its recipe: pure, but for reading a recipe file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from zoohub.errors import DataError, RecipeError
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
    return Path("runs") / (Path(path).stem if path else f"{recipe.model}-{recipe.data.kind}")


def folder_to_resume(model: object, output: str | Path | None, data: object = None) -> Path:
    """The folder to resume: `output`, or in the place of the model, or where a run on `data` goes.

    Raises:
        DataError: there is no run in it.
    """
    places = [] if output is None else [Path(output)]
    if output is None and isinstance(model, str | Path):
        places.append(Path(model).expanduser())
    if output is None and isinstance(data, str | Path):
        places.append(Path("runs") / Path(data).stem)
    for place in places:
        if (place / RECIPE).is_file():
            return place
    looked = " and ".join(map(str, places)) or "nowhere"
    raise DataError(f"no run to resume; looked in {looked}; name its folder (--output)")
