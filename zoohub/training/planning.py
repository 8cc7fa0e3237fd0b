"""From what the user says of a run to its recipe: pure, but for reading a recipe file."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from zoohub.core.binding import plain, read_text
from zoohub.core.paths import expanded, local_path
from zoohub.errors import DataError, RecipeError, UsageError
from zoohub.manifest.reference import is_path
from zoohub.tasks.finding import read_recipe
from zoohub.tasks.recipe import Recipe, Schedule, data_of, recipe_text
from zoohub.training.options import Overrides, Say
from zoohub.training.run_folder import RECIPE

R = TypeVar("R", bound=Recipe)
_FILES = (".csv", ".jsonl", ".json", ".yaml", ".yml")
_WEIGHTS = (".ckpt", ".safetensors", ".pth", ".pt")
_ANY_DATA = ("data", "dataset", "labels", "annotations", "_annotations.coco")


def is_recipe_file(name: str | Path) -> bool:
    """Whether the user named a recipe's file rather than a model."""
    return Path(name).suffix.lower() in (".yaml", ".yml")


def recipe_from_file(path: str | Path, overrides: Overrides) -> Recipe:
    """The recipe in a file, with `--set` put in. A relative data path in it is relative to its
    folder."""
    recipe = read_recipe(path, overrides.assignments)
    data = data_of(recipe)
    named = getattr(data, "path", None)
    if named is None:
        return recipe
    where = local_path(path).parent / expanded(named)
    return with_data(recipe, dataclasses.replace(data, path=str(where.absolute())))  # type: ignore[type-var]


def with_data(recipe: R, data: object) -> R:
    """The recipe with other data."""
    return dataclasses.replace(recipe, data=data)  # type: ignore[call-arg]


def assign(recipe: R, assignments: Sequence[str]) -> R:
    """The recipe with `KEY.KEY=VALUE` assignments put in. Raises RecipeError as `read_recipe`."""
    if not assignments:
        return recipe
    return read_text(recipe_text(recipe), type(recipe), "recipe", assignments)


def with_overrides(recipe: R, overrides: Overrides) -> R:
    """The recipe with the values that were given.

    Another batch size without a learning rate scales the rate: in proportion for SGD (Goyal et
    al. 2017), with the square root for AdamW; a larger batch also gets an epoch of warm-up. What
    is set by name stays as it was set.

    Raises:
        RecipeError: a value is out of bounds.
    """
    lr, epochs = overrides.lr, overrides.epochs
    batch_size, seed = overrides.batch_size, overrides.seed
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
    if plain(changed) != plain(recipe):
        recipe = read_text(recipe_text(changed), type(recipe), "options")  # checks the bounds
    return assign(recipe, overrides.assignments)


def scaled_rate(optimizer: str, lr: float, before: int, after: int) -> float:
    """The learning rate for a batch of `after` where `lr` was right for `before`."""
    ratio = after / before
    return lr * (ratio if optimizer == "sgd" else math.sqrt(ratio))


def _shortened(schedule: Schedule, epochs: int | None) -> Schedule:
    """Warm-up takes at most a fifth of the run."""
    if epochs is None or epochs < 1:
        return schedule
    return dataclasses.replace(schedule, warmup=min(schedule.warmup, epochs / 5))


def started_from(checkpoint: object) -> str | None:
    """The weights that a run starts from: an id, `default`, None, or a file's absolute path.

    Raises:
        UsageError: it is none of these.
    """
    if checkpoint is None:
        return None
    if isinstance(checkpoint, os.PathLike):
        return str(local_path(checkpoint))
    if not isinstance(checkpoint, str) or not checkpoint:
        raise UsageError(
            f"checkpoint: a {type(checkpoint).__name__} cannot start a run; give an id, a file's "
            "path, or None for fresh weights"
        )
    own = is_path(checkpoint) or Path(checkpoint).suffix.lower() in _WEIGHTS
    return str(local_path(checkpoint)) if own else checkpoint


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


def note_unused(recipe: Recipe, say: Say, overrides: Overrides) -> None:
    """Say that a resumed run keeps its settings, where others are given."""
    if plain(with_overrides(recipe, overrides)) != plain(recipe):
        say(
            "a resumed run keeps its own settings (its recipe.yaml); what was given now is not used"
        )


def no_data(name: str) -> UsageError:
    """What to say where only a recipe could go without `--data`."""
    return UsageError(f"{name}: say what to train on (--data), or give a recipe's file")


def default_output(recipe: Recipe) -> Path:
    """`runs/<name of the data>`."""
    data = data_of(recipe)
    path = getattr(data, "path", None)
    return Path("runs") / (
        data_name(path) if path else f"{recipe.model}-{getattr(data, 'kind', 'data')}"
    )


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
    places = [] if output is None else [expanded(output)]
    if output is None and isinstance(model, str | Path):
        places.append(expanded(model))
    if output is None and isinstance(data, str | Path):
        places.append(Path("runs") / data_name(data))
    for place in places:
        if (place / RECIPE).is_file():
            return place
    looked = " and ".join(map(str, places)) or "nowhere"
    raise DataError(f"no run to resume; looked in {looked}; name its folder (--output)")
