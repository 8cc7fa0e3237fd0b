"""From a recipe to everything its run needs, and the run itself, in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from mindspore import nn

from zoohub.settings import Settings, load_settings
from zoohub.training.data.batches import Plan
from zoohub.training.data.reading import read_splits
from zoohub.training.data.samples import Splits
from zoohub.training.fitting import Workers, check_batch, fit, make_trainer, starting_network
from zoohub.training.loop import Hooks, Progress, evaluate_samples, run
from zoohub.training.metrics import Classification
from zoohub.training.recipe import Recipe
from zoohub.training.start import Start, find_start
from zoohub.training.trainer import Arrays, Trainer, put_weights


@dataclass(frozen=True)
class Session:
    """A run made ready: the recipe spelled out, its pictures and what it starts from."""

    recipe: Recipe
    splits: Splits
    start: Start
    workers: Workers

    def leave_out(self, name: str, reason: str) -> bool:
        """Count a picture that turned out unreadable; whether it is the first time."""
        first = name not in self.splits.skipped
        self.splits.skipped.setdefault(name, reason)
        return first


@dataclass(frozen=True)
class Trained:
    """A finished run in memory: the network in evaluation mode with its final weights.

    `test` is None where the data has no test part.
    """

    net: nn.Cell
    weights: Arrays
    session: Session
    progress: Progress
    test: Classification | None


def open_session(
    recipe: Recipe,
    settings: Settings | None = None,
    workers: Workers | None = None,
    splits: Splits | None = None,
) -> Session:
    """Read the recipe's data and resolve its model; downloads weights where it starts from some.

    `splits` is the data, where it has been read already.

    Raises:
        RecipeError, DataError: the recipe or its data are not usable.
        UnknownModel, NetworkNotAvailable, DownloadError: as `zoohub.load`.
    """
    workers = workers or Workers()
    settings = settings or load_settings()
    splits = splits or read_splits(recipe.data)
    recipe, start = find_start(recipe, settings)
    check_batch(recipe, workers)
    return Session(recipe, splits, start, workers)


def build_network(session: Session, say: Callable[[str], object] = lambda text: None) -> nn.Cell:
    """The network with its starting weights and a head for the data's classes.

    The checkpoint's own head stays only where the data's classes are the checkpoint's, by name.
    """
    classes = session.splits.classes
    return starting_network(session.recipe, session.start, classes, say)[0]


def build_trainer(session: Session, net: nn.Cell, plan: Plan) -> Trainer:
    """The trainer of `net`, as the recipe says. Raises RecipeError as `make_trainer`."""
    return make_trainer(net, session.recipe, session.start, plan)


def run_session(
    session: Session,
    hooks: Hooks,
    *,
    load: Callable[[], tuple[Arrays, Progress] | None] = lambda: None,
    say: Callable[[str], object] = lambda text: None,
) -> tuple[Trainer, Progress]:
    """Train to the end; `load` gives a saved state to continue from, or None.

    A batch too large for the memory is computed in parts, see `fit`.

    Raises:
        CheckpointMismatch: the saved state is another run's.
    """
    net = build_network(session, say)

    def note(name: str, reason: str) -> None:
        if session.leave_out(name, reason):
            say(f"left out: {reason}")

    def go_on(trainer: Trainer, plan: Plan, progress: Progress) -> Progress:
        return run(
            trainer,
            session.recipe,
            session.splits,
            session.start.contract,
            plan=plan,
            progress=progress,
            hooks=hooks,
            note=note,
        )

    return fit(
        session.recipe,
        session.workers,
        len(session.splits.train),
        make=lambda plan: build_trainer(session, net, plan),
        run=go_on,
        begin=Progress,
        load=load,
        say=say,
    )


def train(recipe: Recipe, hooks: Hooks | None = None, settings: Settings | None = None) -> Trained:
    """Run `recipe` from its first step to its last, in this process and without a folder.

    The same recipe gives the same weights, bit for bit, on the same machine.

    Raises:
        As `open_session`.
    """
    session = open_session(recipe, settings)
    kept: dict[str, Arrays] = {}
    inner = hooks or Hooks()

    def keep(name: str, arrays: Arrays) -> None:
        kept[name] = arrays
        if inner.keep:
            inner.keep(name, arrays)

    trainer, progress = run_session(session, dataclasses.replace(inner, keep=keep))
    weights = kept.get(recipe.keep, kept["last"])
    put_weights(trainer.parameters, weights)
    trainer.net.set_train(False)
    test = None
    if len(session.splits.test):
        test = evaluate_samples(trainer.net, session.splits.test, session.start.contract)
    return Trained(trainer.net, weights, session, progress, test)


def data_warnings(session: Session) -> list[str]:
    """What the user should know of the data before the run starts."""
    skipped = session.splits.skipped
    warnings = [f"left out: {path}: {reason}" for path, reason in list(skipped.items())[:10]]
    if len(skipped) > 10:
        warnings.append(f"… and {len(skipped) - 10} more pictures left out")
    return warnings + data_notes(session)


def data_notes(session: Session) -> list[str]:
    """The same without the pictures left out, which the page lists by themselves."""
    splits, batch = session.splits, session.recipe.batch_size
    notes = list(splits.warnings)
    if len(splits.train) < batch:
        notes.append(
            f"{len(splits.train)} training pictures do not fill a batch of {batch}: they are "
            "repeated in it"
        )
    return notes
