"""What each class counts in a loss: as the recipe says it, and as numbers in the classes' order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoohub.core.counting import counted, plural
from zoohub.errors import RecipeError

if TYPE_CHECKING:
    from zoohub.tasks.recipe import ClassWeights


def settled_weights(
    said: ClassWeights | None,
    classes: Sequence[str],
    count: Callable[[], NDArray[np.int64]],
) -> tuple[float, ...] | None:
    """The weight of each class; None: all count the same.

    `said` is a list in the order of the classes, weights by their names (those not named count
    1), or `balanced`: n / (k n_c) for n samples of which class c has n_c, and k classes that have
    any, so that each class counts the same in all (King and Zeng 2001); a class without samples
    counts 1. `count` gives n_c of all classes, and is asked for `balanced` alone.

    Raises:
        RecipeError: a name is no class, there are not as many as classes, or a weight is negative
            or all are 0.
    """
    if said is None:
        return None
    if said == "balanced":
        counts = count()
        present = counts > 0
        even = counts.sum() / (np.count_nonzero(present) * np.maximum(counts, 1))
        weights = [float(w) if there else 1.0 for w, there in zip(even, present, strict=True)]
    elif isinstance(said, tuple):
        weights = list(said)
    else:
        weights = _by_name(said, classes)  # type: ignore[arg-type]
    if len(weights) != len(classes):
        raise RecipeError(
            f"class_weights: expected {counted(len(classes), 'number')}, one for each class "
            f"({', '.join(classes[:5])}{' …' if len(classes) > 5 else ''}), found {len(weights)}"
        )
    if min(weights) < 0 or not any(weights):
        raise RecipeError("class_weights: expected numbers from 0, not all of them 0")
    return tuple(weights)


def numbers(weights: ClassWeights | None) -> NDArray[np.float32] | None:
    """The weights of a recipe that has been settled, float32 (classes,)."""
    assert weights is None or isinstance(weights, tuple)
    return None if weights is None else np.array(weights, np.float32)


def _by_name(said: dict[str, float], classes: Sequence[str]) -> list[float]:
    unknown = sorted(said.keys() - set(classes))
    if unknown:
        raise RecipeError(
            f"class_weights: {', '.join(unknown[:10])} {plural(len(unknown), 'is', 'are')} not "
            f"among the classes of the data: {', '.join(classes[:10])}"
            f"{' …' if len(classes) > 10 else ''}"
        )
    return [said.get(name, 1.0) for name in classes]
