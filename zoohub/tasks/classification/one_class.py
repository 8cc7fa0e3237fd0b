"""What the tasks share whose samples are each of one class: pictures or texts, a target is its
class's index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError
from zoohub.outputs import ClassScores, Form
from zoohub.tasks.contract import Task, TrainingRow
from zoohub.tasks.samples import Samples

if TYPE_CHECKING:
    from mindspore import nn

    from zoohub.networks.family import LossRequest
    from zoohub.tasks.recipe import Recipe

R = TypeVar("R", bound="Recipe")


class OneClass(Task[R, int]):
    """See `Task`."""

    def present(self, samples: Samples[int]) -> Iterable[int]:
        """See `Task`."""
        return samples.targets

    def renumbered(self, samples: Samples[int], places: NDArray[np.int64]) -> Samples[int]:
        """See `Task`."""
        targets = [int(places[label]) for label in samples.targets]
        return Samples(samples.inputs, targets, samples.names)

    def class_names(
        self, form: Form, found: tuple[str, ...], known: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """As many as the network has outputs."""
        return tuple(f"class {i}" for i in range(scores_in(form).logits.shape[1]))

    def step_figures(self, outputs: Sequence[Any], rows: TrainingRow) -> dict[str, float]:
        """The accuracy, by the labels before they were mixed."""
        logits = np.concatenate([logits.asnumpy() for logits in outputs])
        return {"accuracy": int((logits.argmax(1) == rows.targets["label"]).sum())}

    def loss(self, net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
        """The cross entropy with soft targets; log-probabilities are their own logits."""
        from zoohub.tasks.classification.loss import SoftCrossEntropy

        return net, SoftCrossEntropy()

    def split_value(self, target: int, classes: tuple[str, ...]) -> object:
        """The label."""
        return classes[target]


def scores_in(form: Form) -> ClassScores:
    """The scores that a network gave. Raises DataError: it gave something else."""
    if not isinstance(form, ClassScores):
        raise DataError(f"expected a score a class from the network; got {type(form).__name__}")
    return form
