"""A run's figures as event files, which TensorBoard draws.

Written where the reports arrive, so that it is all the same how many processes train.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoohub.errors import RecipeError
from zoohub.training.options import Listeners
from zoohub.training.reports import EpochReport, StepReport

if TYPE_CHECKING:
    from collections.abc import Mapping


def with_event_files(listeners: Listeners, folder: Path) -> Listeners:
    """Listeners that also write what they hear into event files in `folder`.

    Raises:
        RecipeError: TensorBoard is not installed.
    """
    files = EventFiles(folder)

    def on_step(report: StepReport) -> None:
        files.step(report)
        if listeners.on_step:
            listeners.on_step(report)

    def on_epoch(report: EpochReport) -> None:
        files.epoch(report)
        if listeners.on_epoch:
            listeners.on_epoch(report)

    return replace(listeners, on_step=on_step, on_epoch=on_epoch)


class EventFiles:
    """Scalars by tag: `step/loss`, `step/lr` and the task's own over the optimiser's steps (from
    1), `epoch/loss` and `validation/<figure>` over the epochs (from 1)."""

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.summary import Writer
        except ImportError:
            raise RecipeError(
                "TensorBoard is not installed: pip install 'zoohub[tensorboard]'"
            ) from None
        self._make, self._folder = Writer, folder
        self._writer: Any = None  # a run that cannot begin leaves no file

    def step(self, report: StepReport) -> None:
        """Write a step's figures."""
        figures = {"loss": report.loss, "lr": report.lr, **report.figures}
        number = (report.epoch - 1) * report.steps + report.step
        self._write({f"step/{name}": value for name, value in figures.items()}, number)

    def epoch(self, report: EpochReport) -> None:
        """Write an epoch's figures, and see that all of them are in the file."""
        own = {f"epoch/{name}": v for name, v in {"loss": report.loss, **report.training}.items()}
        found = {f"validation/{name}": v for name, v in report.validation.items() if v is not None}
        self._write(own | found, report.epoch)
        self._writer.flush()

    def _write(self, values: Mapping[str, float], step: int) -> None:
        if self._writer is None:
            self._writer = self._make(str(self._folder))
        for tag, value in values.items():
            self._writer.add_scalar(tag, value, step)
