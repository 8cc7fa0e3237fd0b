"""A recipe's run in this process: in a folder, saved as it goes on, or in memory."""

from __future__ import annotations

import functools
import json
import time

from zoohub.core.counting import counted
from zoohub.core.json_reader import parse_own
from zoohub.settings import Settings
from zoohub.tasks.recipe import Recipe
from zoohub.tasks.samples import AnySplits
from zoohub.training.memory import run_session
from zoohub.training.options import SAVE_SECONDS, Listeners, Say, Workers
from zoohub.training.reports import EpochReport, Hooks, Progress, State, StepReport
from zoohub.training.results import Trained, finish
from zoohub.training.run import Run
from zoohub.training.run_folder import RunFolder
from zoohub.training.session import Session, open_session, warnings_before
from zoohub.training.several.collectives import check_same, from_all, from_first
from zoohub.training.steps.trainer import Arrays, put_weights


def run_into(
    folder: RunFolder,
    recipe: Recipe,
    listeners: Listeners,
    *,
    splits: AnySplits | None = None,
    resume: bool = False,
    seconds: float = SAVE_SECONDS,
    settings: Settings | None = None,
    workers: Workers | None = None,
) -> Run:
    """Run a recipe in this process, into `folder`; of several workers only rank 0 writes.

    `splits` is the recipe's data, where it has been read already.

    Raises:
        As `finetune`.
    """
    session = open_session(recipe, settings, workers, splits)
    parts, workers, say = session.splits, session.workers, listeners.say
    check_same(session.recipe, parts.identity(), len(parts.train), workers)
    writes = workers.rank == 0
    if writes:
        for warning in warnings_before(session):
            say(warning)
        if not resume:
            folder.start(session.task, session.recipe, parts)
        announce(session, say)
    saver = Saver(folder, seconds, listeners, writes)
    hooks = Hooks(saver.after_step, saver.after_epoch, saver.keep)
    # A new run has none to begin with, but may go on from one where the memory did not suffice.
    load = functools.partial(saved_state, folder, workers)
    known = set(parts.skipped)
    learner, trainer, progress = run_session(
        session, hooks, load=load, say=say, kept=folder.path / "state"
    )
    net = learner.network
    found = {name: reason for name, reason in parts.skipped.items() if name not in known}
    note = session.noting(say)
    for others in from_all(json.dumps(found).encode(), workers):
        for name, reason in parse_own(others).items():
            note(name, reason)
    if not writes:
        return Run(folder.path, net.set_train(False), {})
    return finish(Trained(session, net, saver.last, progress), learner, trainer, folder, say)


def train(recipe: Recipe, hooks: Hooks | None = None, settings: Settings | None = None) -> Trained:
    """Run `recipe` from its first step to its last, in this process and without a folder.

    The network is in evaluation mode with its final weights. The same recipe gives the same
    weights, bit for bit, on the same machine.

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

    own = Hooks(inner.after_step, inner.after_epoch, keep)
    learner, trainer, progress = run_session(session, own)
    net = learner.network
    weights = kept.get(session.recipe.keep, kept["last"])
    put_weights(trainer.parameters, weights)
    net.set_train(False)
    return Trained(session, net, weights, progress)


def announce(session: Session, say: Say) -> None:
    """Say what begins: until the first step there is nothing else to see."""
    compiled = "; MindSpore compiles the network for the first step"
    say(
        f"{counted(len(session.splits.train), session.task.sample)} to train on, "
        f"{len(session.splits.validation)} to validate"
        + (compiled if session.recipe.mode == "graph" else "")
    )


def saved_state(folder: RunFolder, workers: Workers) -> tuple[Arrays, Progress] | None:
    """The state of the run in `folder`, as `load_state`; the first worker reads it for all."""
    return folder.load_state(from_first(folder.state_bytes() if not workers.rank else b"", workers))


class Saver:
    """Saves what a run needs to be resumed and remembered, as it goes on: its hooks.

    Only where `writes` is there a file written.
    """

    def __init__(
        self, folder: RunFolder, seconds: float, listeners: Listeners, writes: bool
    ) -> None:
        self.folder, self.seconds, self.listeners = folder, seconds, listeners
        self.writes = writes
        self.last: Arrays = {}
        self._saved = time.monotonic()

    def after_step(self, report: StepReport, progress: Progress, state: State) -> None:
        """Save the state where that is due."""
        if self.listeners.on_step:
            self.listeners.on_step(report)
        # The epoch's last step is saved by after_epoch, with its validation.
        due = time.monotonic() - self._saved >= self.seconds and report.step < report.steps
        if self.writes and due:
            self._save(progress, state)

    def after_epoch(self, report: EpochReport, progress: Progress, state: State) -> None:
        """Save the figures and the state."""
        if self.writes:
            self.folder.write_history(progress)
            self._save(progress, state)
        if self.listeners.on_epoch:
            self.listeners.on_epoch(report)

    def keep(self, name: str, arrays: Arrays) -> None:
        """Save the weights `name` (best or last)."""
        if name == "last":
            self.last = arrays
        if self.writes:
            self.folder.write_weights(name, arrays)

    def _save(self, progress: Progress, state: State) -> None:
        self.folder.save_state(state(), progress)
        self._saved = time.monotonic()
