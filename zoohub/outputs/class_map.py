"""One score a class for each pixel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoohub.errors import DataError
from zoohub.outputs.form import Array, Size, only


@dataclass(frozen=True, slots=True)
class ClassMap:
    """`scores` is float (N, classes, height, width): logits or probabilities, the largest wins.

    Height and width are the network's own; whoever interprets them resizes.
    """

    scores: Array

    def __post_init__(self) -> None:
        if self.scores.ndim != 4:
            raise DataError(
                "expected one score a class and pixel, (N, classes, height, width), from the "
                f"network; got {self.scores.shape}"
            )

    def __len__(self) -> int:
        return len(self.scores)


def class_map(raw: Mapping[str, Array], size: Size) -> ClassMap:
    """The output `classes`, or the only one.

    Raises:
        DataError: the network gives something else.
    """
    return ClassMap(only(raw, "classes", "one score a class and pixel, (N, classes, H, W)"))
