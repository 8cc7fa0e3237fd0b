"""Tasks that a pipeline does: several networks answer in turn."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from zoohub.errors import DataError
from zoohub.manifest.entry import InputContract
from zoohub.outputs import Form
from zoohub.tasks.contract import AnyTask, Prepare, Row
from zoohub.tasks.predict_only import PredictOnly


class Step(Protocol):
    """A pipeline's step: a network that answers for a task of its own."""

    @property
    def task(self) -> AnyTask:
        """What the step does."""
        ...

    @property
    def input(self) -> InputContract:
        """How its input is made."""
        ...

    @property
    def names(self) -> tuple[str, ...] | None:
        """Its classes; None where they are not known."""
        ...

    def infer(self, rows: Sequence[Row]) -> Form:
        """What its network gives for rows, in the canonical form."""
        ...


class ChainTask(PredictOnly):
    """What such a task has beside `Task`'s contract."""

    steps: Mapping[str, str]  # what a pipeline's steps are called, and the index's task of each
    optional: tuple[str, ...] = ()  # those that a pipeline may do without

    def check_steps(self, name: str, steps: Iterable[str]) -> None:
        """That a pipeline of that name has the steps of the task, and no others.

        Raises:
            DataError: it has not.
        """
        given = {*steps}
        for step in given - {*self.steps}:
            known = ", ".join(self.steps)
            raise DataError(f"{name}: {self.name} has no step {step!r}; its steps are {known}")
        for step in self.steps:
            if step not in given and step not in self.optional:
                raise DataError(
                    f"{name} has no step {step!r}, which {self.name} needs; `zoohub list --task "
                    f"{self.steps[step]} --runnable` shows what can be it"
                )

    def check_step(self, step: str, name: str, own: AnyTask) -> None:
        """That a network called `name`, for the task `own`, can be a step.

        Raises:
            DataError: it does something else.
        """
        wanted = self.steps[step]
        if wanted not in own.serves:
            raise DataError(
                f"{name} is for {own.name}; the step {step} is {wanted}: `zoohub list --task "
                f"{wanted} --runnable` shows what can be it"
            )

    def prepare(self, contract: InputContract, options: object = None) -> Prepare:
        """Refused: no one network does it."""
        raise DataError(f"{self.name} is done by a pipeline of networks, not by one network")

    @abstractmethod
    def prepare_chain(self, steps: Mapping[str, Step], options: object = None) -> Prepare:
        """As `Task.prepare`, for the steps of a pipeline."""

    @abstractmethod
    def chain(self, steps: Mapping[str, Step], rows: Sequence[Row]) -> Form:
        """What the steps, one after another, make of rows."""


def chain_task(name: str, task: AnyTask) -> ChainTask:
    """The task of a pipeline of that name.

    Raises:
        DataError: one network does it.
    """
    if not isinstance(task, ChainTask):
        raise DataError(f"{name}: {task.name} is done by one network, not by a pipeline")
    return task
