"""Tasks that zoohub predicts and, so far, neither measures nor trains: no data, no loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.manifest.entry import InputContract
from zoohub.tasks.contract import (
    Curve,
    Finished,
    Metric,
    MicroBatch,
    Panels,
    Random,
    Task,
    TrainingRow,
    TrainingRows,
)
from zoohub.tasks.samples import Samples

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.recipe import Recipe


class PredictOnly(Task["Recipe", None]):
    """A `Task` with the half of its contract that learns and measures left out: it has no readers,
    which `finding.py` says before anything else here could be asked."""

    figures = published = headline = best = epoch_figures = ()
    readers = ()
    learns_from = expected = split_title = "nothing"
    has_classes = False
    curve: ClassVar[Curve] = {}

    @property
    def recipe(self) -> type[Recipe]:
        """A kind of its own, of which nobody makes one."""
        from zoohub.tasks.recipe import NoRecipe

        return NoRecipe

    def _refuse(self) -> NoReturn:
        raise DataError(not_learnt(self.name))

    def metric(self, classes: tuple[str, ...]) -> Metric:
        """Refused."""
        self._refuse()

    def present(self, samples: Samples[None]) -> Iterable[int]:
        """Refused."""
        self._refuse()

    def renumbered(self, samples: Samples[None], places: NDArray[np.int64]) -> Samples[None]:
        """Refused."""
        self._refuse()

    def default_recipe(
        self, model: str, checkpoint: str | None, data: object, contract: InputContract, count: int
    ) -> Recipe:
        """Refused."""
        self._refuse()

    def training_rows(
        self, samples: Samples[None], contract: InputContract, recipe: Recipe
    ) -> TrainingRows:
        """Refused."""
        self._refuse()

    def step_batches(
        self, rows: TrainingRow, recipe: Recipe, classes: int, random: Random, parts: int
    ) -> list[MicroBatch]:
        """Refused."""
        self._refuse()

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """Refused."""
        self._refuse()

    def split_value(self, target: None, classes: tuple[str, ...]) -> object:
        """Refused."""
        self._refuse()

    def panels(self, finished: Finished[Recipe, None]) -> Panels:
        """Refused."""
        self._refuse()


def not_learnt(task: str) -> str:
    """What is said where such a task is to be measured or trained."""
    return f"zoohub predicts {task}, and neither measures nor trains it: use `zoohub predict`"
