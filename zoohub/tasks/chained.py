"""Tasks that a pipeline does: several networks answer in turn."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from zoohub.errors import DataError
from zoohub.manifest.entry import InputContract
from zoohub.outputs import Form
from zoohub.tasks.contract import Prepare, Row, Step
from zoohub.tasks.predict_only import PredictOnly


class ChainTask(PredictOnly):
    """What such a task has beside `Task`'s contract."""

    steps: Mapping[str, str]  # what a pipeline's steps are called, and the index's task of each

    def prepare(self, contract: InputContract, options: object = None) -> Prepare:
        """Refused: no one network does it."""
        raise DataError(f"{self.name} is done by a pipeline of networks, not by one network")

    @abstractmethod
    def prepare_chain(self, steps: Mapping[str, Step], options: object = None) -> Prepare:
        """As `Task.prepare`, for the steps of a pipeline."""

    @abstractmethod
    def chain(self, steps: Mapping[str, Step], rows: Sequence[Row]) -> Form:
        """What the steps, one after another, make of rows."""
