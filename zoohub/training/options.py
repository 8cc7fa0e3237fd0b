"""What a run is asked for, besides its recipe: each thing in one frozen dataclass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from zoohub.errors import RecipeError

Say: TypeAlias = Callable[[str], object]
SAVE_SECONDS = 60.0


@dataclass(frozen=True)
class Overrides:
    """What is given in place of the recipe's values; `assignments` are `KEY.KEY=VALUE`."""

    epochs: int | None = None
    lr: float | None = None
    batch_size: int | None = None
    seed: int | None = None
    assignments: Sequence[str] = ()


@dataclass(frozen=True)
class Machines:
    """Who trains: `workers` processes on each of `nodes` machines, of which this is number
    `node_rank`; `master` is HOST[:PORT] of the first."""

    workers: int = 1
    nodes: int = 1
    master: str | None = None
    node_rank: int | None = None

    @property
    def several(self) -> bool:
        """Whether more than this process is to train."""
        return self.workers > 1 or self.nodes > 1 or bool(self.node_rank)

    def check(self) -> None:
        """See that there is somebody to train.

        Raises:
            RecipeError: there is not, or other machines are meant without saying how many.
        """
        for option, count in (("--workers", self.workers), ("--nodes", self.nodes)):
            if count < 1:
                raise RecipeError(f"{option}: expected a number from 1, found {count}")
        if self.master is not None and self.workers * self.nodes == 1:
            raise RecipeError(f"--master {self.master}: say how many machines there are (--nodes)")


@dataclass(frozen=True)
class Workers:
    """How many processes train together, and which of them this is."""

    count: int = 1
    rank: int = 0


@dataclass(frozen=True)
class Listeners:
    """Who hears of the run: sentences, and a report after each step and epoch."""

    say: Say = lambda text: None
    on_step: Callable[[Any], object] | None = None
    on_epoch: Callable[[Any], object] | None = None


@dataclass(frozen=True)
class Saving:
    """Where a run is kept: `output` (None: by the data's name), whether it goes on from what is
    there, and how often the state is saved."""

    output: Path | None = None
    resume: bool = False
    seconds: float = SAVE_SECONDS
