"""One score a class for the whole input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoohub.errors import DataError
from zoohub.outputs.form import Array, Size, only


@dataclass(frozen=True, slots=True)
class ClassScores:
    """`logits` is float (N, classes), before the softmax."""

    logits: Array

    def __post_init__(self) -> None:
        if self.logits.ndim != 2:
            raise DataError(
                "expected one score a class, (N, classes), from the network; "
                f"got {self.logits.shape}"
            )

    def __len__(self) -> int:
        return len(self.logits)


def class_scores(raw: Mapping[str, Array], size: Size) -> ClassScores:
    """The output `logits`, or the only one.

    Raises:
        DataError: the network gives something else.
    """
    return ClassScores(only(raw, "logits", "one score a class, (N, classes)"))
