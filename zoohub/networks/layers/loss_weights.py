"""What the parts of a loss count for: the family's own figures, and what a recipe says instead."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from zoohub.errors import RecipeError

if TYPE_CHECKING:
    from zoohub.networks.family import LossRequest

W = TypeVar("W")


def weights_of(own: W, request: LossRequest, family: str) -> W:
    """The dataclass `own` with the recipe's figures in place of its own.

    Raises:
        RecipeError: the recipe weighs a part that this loss does not have.
    """
    known = [part.name for part in fields(own)]  # type: ignore[arg-type]
    for name in request.weights:
        if name not in known:
            raise RecipeError(
                f"loss.{name}: {family}'s loss has no such part; it has {', '.join(known)}"
            )
    changed: Any = replace(own, **request.weights)  # type: ignore[type-var]
    return changed


def refuse_smoothing(request: LossRequest, family: str) -> None:
    """Raise RecipeError where labels shall be smoothed: the scores wanted are not 0 and 1."""
    if request.label_smoothing:
        raise RecipeError(
            f"label_smoothing: {family}'s loss has none, its targets are degrees of overlap "
            "already; set it to 0"
        )
