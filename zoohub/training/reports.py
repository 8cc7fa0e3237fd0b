"""What a run tells as it goes on, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from zoohub.training.steps.trainer import Arrays

Line: TypeAlias = dict[str, Any]  # of `metrics.jsonl`


@dataclass(frozen=True)
class StepReport:
    """What is known after a step: for progress displays and callbacks.

    `figures` are the task's own, and can be read as attributes too.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    lr: float
    images_per_second: float
    figures: Mapping[str, float] = field(default_factory=dict)

    def __getattr__(self, name: str) -> float:
        return _own_figure(self, "figures", name)

    def line(self) -> Line:
        """All that is known, by name."""
        told = {"epoch": self.epoch, "epochs": self.epochs, "step": self.step, "steps": self.steps}
        rest = {"lr": self.lr, "images_per_second": self.images_per_second}
        return {**told, "loss": self.loss, **self.figures, **rest}


@dataclass(frozen=True)
class EpochReport:
    """What is known after an epoch.

    `training` and `validation` are the task's figures, the latter None where nothing was measured;
    they can be read as attributes too (`accuracy`, `validation_top1`). `headline` is the title and
    value of the one to show.
    """

    epoch: int
    loss: float
    lr: float
    seconds: float
    training: Mapping[str, float]
    validation: Mapping[str, float | None]
    headline: tuple[str, float | None]

    def __getattr__(self, name: str) -> float | None:
        if name.startswith("validation_"):
            return _own_figure(self, "validation", name.removeprefix("validation_"))
        return _own_figure(self, "training", name)

    def line(self) -> Line:
        """One line of `metrics.jsonl`."""
        return {
            "epoch": self.epoch,
            "loss": self.loss,
            **self.training,
            "lr": self.lr,
            "seconds": self.seconds,
            **{f"validation_{key}": value for key, value in self.validation.items()},
        }


@dataclass
class Progress:
    """Where a run stands: what is saved beside the trainer's arrays.

    `sums` are those of the task's figures over the steps of the epoch so far; `best` ranks the
    best epoch: the first number that differs from another's decides, the larger is better.
    """

    epoch: int = 0
    step: int = 0
    losses: list[float] = field(default_factory=list)
    sums: dict[str, float] = field(default_factory=dict)
    best_epoch: int | None = None
    best: list[float] = field(default_factory=list)
    history: list[Line] = field(default_factory=list)


def read_progress(saved: Mapping[str, object]) -> Progress:
    """A saved `Progress`; zoohub once had one for each task, with the same figures."""
    values: dict[str, Any] = dict(saved)
    if "right" in values:
        values["sums"] = {"accuracy": values.pop("right")}
    if "best_top1" in values:
        values["best"] = [values.pop("best_top1"), -values.pop("best_loss")]
    if "best_map" in values:
        values["best"] = [values.pop("best_map")]
    if values["best_epoch"] is None:
        values["best"] = []
    return Progress(**values)


State: TypeAlias = Callable[[], Arrays]
Load: TypeAlias = Callable[[], "tuple[Arrays, Progress] | None"]  # what was saved, to go on from


@dataclass(frozen=True)
class Hooks:
    """What the surroundings do as the run goes on. Each may be left out.

    `after_step` and `after_epoch` are called with the run's position already moved on, so that
    the state that their third argument gives continues with the next step;
    `keep` gets the weights of a new best or of the last epoch.
    """

    after_step: Callable[[StepReport, Progress, State], None] | None = None
    after_epoch: Callable[[EpochReport, Progress, State], None] | None = None
    keep: Callable[[str, Arrays], None] | None = None


def _own_figure(report: object, part: str, name: str) -> Any:
    figures = report.__dict__.get(part, {})
    if name in figures:
        return figures[name]
    raise AttributeError(f"{type(report).__name__} has no attribute {name!r}")
