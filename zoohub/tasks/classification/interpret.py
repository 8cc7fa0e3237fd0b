"""From a classifier's scores to its best classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import UsageError
from zoohub.outputs import ClassScores
from zoohub.outputs.form import Array, check_finite
from zoohub.tasks.contract import check_count
from zoohub.tasks.options import option
from zoohub.tasks.results import Label, class_name


@dataclass(frozen=True, slots=True)
class ClassificationOptions:
    """How many classes a prediction has, and from which score on (0 to 1)."""

    top: int = option(5, "at most so many results: labels or words (5), answers (1)")
    threshold: float = option(0.0, "least score shown", metavar="P")

    def __post_init__(self) -> None:
        if self.top < 1:
            raise UsageError(f"top must be 1 or more; got {self.top}")


def interpret_scores(
    form: ClassScores, names: tuple[str, ...] | None, options: ClassificationOptions
) -> list[tuple[Label, ...]]:
    """The best classes of each picture."""
    logits = counted(form.logits, 1000 if names is None else len(names))
    check_count(logits.shape[1], names)
    check_finite(logits)
    return [_best(row, names, options) for row in softmax(logits)]


def counted(logits: Array, classes: int) -> Array:
    """The outputs that count: networks trained on ImageNet with a background class have 1001, of
    which the first 1000 do."""
    return logits[:, :1000] if logits.shape[1] == 1001 and classes == 1000 else logits


def softmax(logits: Array) -> NDArray[np.float64]:
    """Probabilities along the last axis, computed in float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    probabilities: NDArray[np.float64] = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities


def _best(
    probabilities: NDArray[np.float64],
    names: tuple[str, ...] | None,
    options: ClassificationOptions,
) -> tuple[Label, ...]:
    """The best classes of one picture; equal scores in the order of their indices."""
    best = np.argsort(-probabilities, kind="stable")[: options.top]
    return tuple(
        Label(class_name(index, names), int(index), float(probabilities[index]))
        for index in best
        if probabilities[index] >= options.threshold
    )
