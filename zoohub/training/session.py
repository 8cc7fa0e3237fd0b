"""From a recipe to everything its run needs: the task, the data, what it starts from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from zoohub.core.counting import counted, plural
from zoohub.errors import RecipeError
from zoohub.networks.families import find_family
from zoohub.settings import Settings, load_settings
from zoohub.tasks.contract import AnyTask, Note
from zoohub.tasks.finding import reader_of, task_of_recipe
from zoohub.tasks.recipe import Recipe, data_of
from zoohub.tasks.samples import AnySplits, left_out, left_out_sentence
from zoohub.training.options import Say, Workers
from zoohub.training.starting_point import Start, find_start


@dataclass(frozen=True)
class Session:
    """A run made ready: the recipe spelled out, its samples and what it starts from."""

    task: AnyTask
    recipe: Recipe
    splits: AnySplits
    start: Start
    workers: Workers
    settings: Settings

    def noting(self, say: Say) -> Note:
        """What counts a sample that turned out unreadable, and says so the first time."""

        def note(name: str, reason: str) -> None:
            if name not in self.splits.skipped:
                self.splits.skipped[name] = reason
                say(f"left out: {reason}")

        return note


def open_session(
    recipe: Recipe,
    settings: Settings | None = None,
    workers: Workers | None = None,
    splits: AnySplits | None = None,
) -> Session:
    """Read the recipe's data and resolve its model; downloads weights where it starts from some.

    `splits` is the data, where it has been read already.

    Raises:
        RecipeError, DataError: the recipe or its data are not usable.
        UnknownModel, NetworkNotAvailable, DownloadError: as `zoohub.load`.
    """
    workers = workers or Workers()
    check_batch(recipe, workers)
    task = task_of_recipe(recipe)
    check_freeze(task, recipe, workers)
    data = data_of(recipe)
    splits = splits or reader_of(task, data, recipe.model).read(data)
    if recipe.early_stopping is not None and not task.measurable(splits.validation):
        raise RecipeError("early_stopping: there is no part of the data to validate on")
    recipe = task.settled(recipe, splits)
    settings = settings or load_settings()
    recipe, start = find_start(recipe, settings)
    if recipe.freeze is not None and start.path is None:
        raise RecipeError("freeze: fresh weights have learned nothing yet; give a checkpoint")
    own = task.network_for(start.spec)
    start = replace(start, spec=own, renewed=own != start.spec)
    task.check_network(start.spec, start.contract)
    recipe = task.weighed(recipe, find_family(start.spec.builder).weights_of(start.spec.arguments))
    splits = task.fitted(recipe, splits, start.spec, start.classes)
    return Session(task, recipe, splits, start, workers, settings)


def check_batch(recipe: Recipe, workers: Workers) -> None:
    """See that the batch can be shared by the workers, and computed in micro-batches.

    Raises:
        RecipeError: it cannot.
    """
    share, left = divmod(recipe.batch_size, workers.count)
    if left:
        raise RecipeError(
            f"batch_size {recipe.batch_size} cannot be shared by {workers.count} workers; "
            f"{share * workers.count or workers.count} can"
        )
    if recipe.micro_batch is not None and share % recipe.micro_batch:
        raise RecipeError(f"micro_batch {recipe.micro_batch} does not divide {share}")


def check_freeze(task: AnyTask, recipe: Recipe, workers: Workers) -> None:
    """See that `freeze` can be done as the recipe says, before any weights are fetched.

    Raises:
        RecipeError: it cannot.
    """
    if recipe.freeze is None:
        if recipe.views is not None:
            raise RecipeError("views goes with freeze: backbone; leave it out")
        return
    task.check_freeze(recipe)
    if recipe.frozen:
        raise RecipeError(
            f"freeze: {recipe.freeze} and frozen exclude each other; leave one of them out"
        )
    if workers.count > 1:
        raise RecipeError("freeze: one process trains a head as fast; leave the others out")


def warnings_before(session: Session) -> list[str]:
    """What the user should know of the data before the run starts."""
    if session.task.counts_left_out:
        return data_notes(session)
    skipped = session.splits.skipped
    warnings = [
        f"left out: {left_out(path, reason)}" for path, reason in list(skipped.items())[:10]
    ]
    if len(skipped) > 10:
        more = counted(len(skipped) - 10, f"more {session.task.sample}")
        warnings.append(f"… and {more} left out")
    return warnings + data_notes(session)


def data_notes(session: Session) -> list[str]:
    """What the page says of the data; what was left out it lists by itself."""
    splits, batch = session.splits, session.recipe.batch_size
    left_out_of_data = (
        left_out_sentence(splits.skipped, session.task.sample)
        if session.task.counts_left_out
        else ()
    )
    notes = [*left_out_of_data, *splits.warnings]
    if len(splits.train) < batch:
        one = f"training {session.task.sample}"
        short = counted(len(splits.train), f"{one} does", f"{one}s do")
        they = plural(len(splits.train), "it is", "they are")
        notes.append(f"{short} not fill a batch of {batch}: {they} repeated in it")
    return notes
