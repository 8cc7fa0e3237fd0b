"""A recipe's run in this process, saved as it goes on."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import Any

from zoohub.settings import Settings
from zoohub.training.data.samples import Splits
from zoohub.training.finishing import finish
from zoohub.training.fitting import Say, Workers, announce
from zoohub.training.folder import RunFolder
from zoohub.training.loop import EpochReport, Hooks, StepReport
from zoohub.training.recipe import Recipe
from zoohub.training.run import Run
from zoohub.training.session import data_warnings, open_session, run_session
from zoohub.training.together import check_same, from_all, from_first
from zoohub.training.trainer import Arrays

SAVE_SECONDS = 60.0


def execute(
    recipe: Recipe,
    folder: RunFolder,
    *,
    splits: Splits | None = None,
    resume: bool = False,
    settings: Settings | None = None,
    workers: Workers | None = None,
    on_step: Callable[[StepReport], object] | None = None,
    on_epoch: Callable[[EpochReport], object] | None = None,
    say: Say = lambda text: None,
    save_seconds: float = SAVE_SECONDS,
) -> Run:
    """Run a recipe in this process, into `folder`; of several workers only rank 0 writes.

    `splits` is the recipe's data, where it has been read already.

    Raises:
        As `finetune`.
    """
    session = open_session(recipe, settings, workers, splits)
    parts, workers = session.splits, session.workers
    check_same(session.recipe, parts.identity(), len(parts.train), workers)
    writes = workers.rank == 0
    if writes:
        for warning in data_warnings(session):
            say(warning)
        if not resume:
            folder.start(session.recipe, parts)
        announce(session.recipe, len(parts.train), len(parts.validation), say)
    saver = Saver(folder, save_seconds, on_step, on_epoch, writes)
    hooks = Hooks(saver.after_step, saver.after_epoch, saver.keep)
    # A new run has none to begin with, but may go on from one where the memory did not suffice.
    load = functools.partial(saved_state, folder, workers)
    known = set(parts.skipped)
    trainer, progress = run_session(session, hooks, load=load, say=say)
    found = {name: reason for name, reason in parts.skipped.items() if name not in known}
    for others in from_all(json.dumps(found).encode(), workers):
        for name, reason in json.loads(others).items():
            if session.leave_out(name, reason):
                say(f"left out: {reason}")
    if not writes:
        return Run(folder.path, trainer.net.set_train(False), {})
    return finish(session, folder, trainer, progress, saver.last)


def saved_state(folder: RunFolder, workers: Workers) -> Any:
    """The state of the run in `folder`, as `load_state`; the first worker reads it for all."""
    return folder.load_state(from_first(folder.state_bytes() if not workers.rank else b"", workers))


class Saver:
    """Saves what a run needs to be resumed and remembered, as it goes on: a loop's hooks.

    Reports and progress are those of the loop; `folder` knows how to keep them. Only where
    `writes` is there a file written.
    """

    def __init__(
        self,
        folder: RunFolder,
        seconds: float,
        on_step: Callable[[Any], object] | None,
        on_epoch: Callable[[Any], object] | None,
        writes: bool,
    ) -> None:
        self.folder, self.seconds, self.writes = folder, seconds, writes
        self.on_step, self.on_epoch = on_step, on_epoch
        self.last: Arrays = {}
        self._saved = time.monotonic()

    def after_step(self, report: Any, progress: Any, state: Callable[[], Arrays]) -> None:
        """Save the state where that is due."""
        if self.on_step:
            self.on_step(report)
        # The epoch's last step is saved by after_epoch, with its validation.
        due = time.monotonic() - self._saved >= self.seconds and report.step < report.steps
        if self.writes and due:
            self._save(progress, state)

    def after_epoch(self, report: Any, progress: Any, state: Callable[[], Arrays]) -> None:
        """Save the figures and the state."""
        if self.writes:
            self.folder.write_history(progress)
            self._save(progress, state)
        if self.on_epoch:
            self.on_epoch(report)

    def keep(self, name: str, arrays: Arrays) -> None:
        """Save the weights `name` (best or last)."""
        if name == "last":
            self.last = arrays
        if self.writes:
            self.folder.write_weights(name, arrays)

    def _save(self, progress: Any, state: Callable[[], Arrays]) -> None:
        self.folder.save_state(state(), progress)
        self._saved = time.monotonic()
