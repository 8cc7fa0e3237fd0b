"""The tasks zoohub has, found by folder, and which of them something is about."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from zoohub.core.paths import expanded, local_path
from zoohub.core.text_reader import decoded, file_bytes
from zoohub.core.values import unknown
from zoohub.errors import DataError, RecipeError, UsageError
from zoohub.manifest.entry import NetworkSpec
from zoohub.manifest.tasks import TASKS
from zoohub.networks.families import has_family
from zoohub.tasks.contract import AnyReader, AnyTask
from zoohub.tasks.folders import task_folders
from zoohub.tasks.options import choose, names_of
from zoohub.tasks.predict_only import not_learnt

if TYPE_CHECKING:
    from zoohub.tasks.recipe import Recipe


def _task_in_folder(name: str) -> AnyTask:
    task: AnyTask = importlib.import_module(f"zoohub.tasks.{name}.task").TASK
    return task


@cache
def all_tasks() -> tuple[AnyTask, ...]:
    """Every task, by its folder's name."""
    return tuple(map(_task_in_folder, task_folders()))


def all_options() -> tuple[type, ...]:
    """The schemas of what predicting takes, of every task."""
    return tuple(task.options for task in all_tasks())


def learning_tasks() -> tuple[AnyTask, ...]:
    """Those that read data, to be measured and trained; the others only predict."""
    return tuple(task for task in all_tasks() if task.readers)


def find_task(name: str) -> AnyTask:
    """The task that serves the index's task `name`.

    Raises:
        DataError: zoohub has none.
    """
    for folder, its in task_folders().items():
        if name in its.serves:
            return _task_in_folder(folder)
    served = [name for its in task_folders().values() for name in its.serves]
    known = f"{', '.join(served[:-1])} and {served[-1]}"
    raise DataError(
        f"there is nothing for the task {name!r} but its networks: they can be loaded "
        f"(zoohub.load), called with arrays, and exported (zoohub export). Predicted: {known}"
    )


def task_called(name: str) -> AnyTask:
    """The task that a user means: by a name of the index's, or its folder's (`embeddings`).

    Raises:
        UsageError: there is no such task; names the closest. DataError: as `find_task`.
    """
    folder = name.replace("-", "_")
    if folder in task_folders():
        return _task_in_folder(folder)
    served = [name for its in task_folders().values() for name in its.serves]
    if name not in served and name not in TASKS:
        folders = (folder.replace("_", "-") for folder in task_folders())
        raise UsageError(unknown(name, dict.fromkeys([*served, *folders]), "task"))
    return find_task(name)


def options_for(task: AnyTask, given: Mapping[str, object]) -> object:
    """The task's options as they were given; None stands for a default: a command has the options
    of all tasks.

    Raises:
        UsageError: an option that no task has, or only others; or a value of the wrong kind.
    """
    own = names_of(task.options)
    for name in sorted(given.keys() - own):
        takers = [other.name for other in all_tasks() if name in names_of(other.options)]
        if not takers:
            known = own.union(*map(names_of, all_options()))
            raise UsageError(unknown(name, sorted(known), "option"))
        if given[name] is not None:
            raise UsageError(
                f"{name}={given[name]!r} is for {', '.join(takers)}; {task.name} does "
                "not take it: leave it out"
            )
    return choose(task.options, {name: value for name, value in given.items() if name in own})


def task_for(name: str, network: NetworkSpec | None) -> AnyTask:
    """The task of a network that the index files under `name`: the one that claims it, where there
    is one for what it ends in, else that which serves the name.

    Raises:
        DataError: as `find_task`.
    """
    if network is not None and has_family(network.builder):
        for folder, its in task_folders().items():
            if name in its.shares and (task := _task_in_folder(folder)).claims(network):
                return task
    return find_task(name)


def tasks_of_body(name: str, network: NetworkSpec) -> tuple[AnyTask, ...]:
    """The tasks that ask of a network, filed under `name`, what is under its head."""
    asking = (
        _task_in_folder(folder) for folder, its in task_folders().items() if name in its.shares
    )
    bare = ((task, task.network_for(network)) for task in asking if task.headless)
    return tuple(task for task, spec in bare if spec != network and task.claims(spec))


def task_to_learn(name: str, network: NetworkSpec | None, data: object) -> AnyTask:
    """The task that a network, filed under `name`, is trained for: its own, but where the data on
    the disk is that of another which can put a head of its own on it.

    Raises:
        DataError: as `find_task`.
    """
    own = task_for(name, network)
    if network is None or not isinstance(data, str | os.PathLike):
        return own
    source = expanded(data)
    others = (task for task in learning_tasks() if name in task.shares or name in task.serves)
    for task in sorted(others, key=lambda task: name in task.serves):  # these take what is left
        if any(reader.claims(source) for reader in task.readers) and _can_learn(task, network):
            return task
    return own


def _can_learn(task: AnyTask, network: NetworkSpec) -> bool:
    try:
        task.check_network(task.network_for(network))
    except DataError:
        return False
    return True


def task_of_recipe(recipe: Recipe) -> AnyTask:
    """The task whose recipe it is."""
    return next(task for task in all_tasks() if isinstance(recipe, task.recipe))


def read_recipe(path: str | Path, assignments: Sequence[str] = ()) -> Recipe:
    """The recipe in the YAML file `path`, with `KEY.KEY=VALUE` assignments put in.

    Raises:
        RecipeError: the file cannot be read, zoohub has no such task, or a key is unknown,
            missing, of a wrong type or out of bounds; names the file, line and key.
    """
    from zoohub.core.yaml_reader import MAX_BYTES  # YAML is not needed to predict

    data = file_bytes(local_path(path), f"{path}: the recipe", RecipeError, MAX_BYTES)
    text = decoded(data, str(path), RecipeError, "YAML", chinese=True)
    return parse_recipe(text, str(path), assignments)


def parse_recipe(text: str, name: str = "recipe", assignments: Sequence[str] = ()) -> Recipe:
    """The recipe in YAML `text`; `name` stands for the file in errors. Raises as `read_recipe`."""
    from zoohub.core.binding import read_text

    recipe: Recipe = read_text(text, _task_in(text, name).recipe, name, assignments)
    return recipe


def _task_in(text: str, name: str) -> AnyTask:
    """The task that a recipe's text says it is for."""
    from zoohub.core.yaml_nodes import child, parse

    node = child(parse(text, name), "task", name)
    wanted = None if node is None else node.value
    for task in learning_tasks():
        if task.unnamed if wanted is None else wanted in task.serves:
            return task
    served = ", ".join(name for task in learning_tasks() for name in task.serves)
    raise RecipeError(f"{name}: task: expected one of {served}, found {wanted!r}")


def find_reader(task: AnyTask, source: str | Path, model: str) -> AnyReader:
    """The reader of `task`, that of `model`, for what the user named as data.

    Raises:
        RecipeError: it is another task's data. DataError: it is nobody's, or the task has none.
    """
    if not task.readers:
        raise DataError(f"{model}: {not_learnt(task.name)}")
    path = expanded(source)  # may be a name, `digits`
    for reader in task.readers:
        if reader.claims(path):
            return reader
    for other in all_tasks():
        if any(reader.claims(path) for reader in other.readers):
            raise RecipeError(f"{model} ({task.name}) learns from {task.learns_from}")
    found = "a file of another kind" if path.exists() else "nothing"
    raise DataError(f"{source}: expected {task.expected}, found {found}")


def reader_of(task: AnyTask, data: object, model: str) -> AnyReader:
    """The reader of a recipe's `data`.

    Raises:
        RecipeError: it is another task's. DataError: the task has none.
    """
    if not task.readers:
        raise DataError(f"{model}: {not_learnt(task.name)}")
    for reader in task.readers:
        if isinstance(data, reader.data):
            return reader
    raise RecipeError(f"{model} ({task.name}) learns from {task.learns_from}")
