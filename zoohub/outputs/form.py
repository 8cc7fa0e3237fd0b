"""What forms have in common: a network's arrays by name become one, or are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import DataError

Array: TypeAlias = NDArray[Any]
Size: TypeAlias = tuple[int, int]


class Form(Protocol):
    """A canonical form: frozen, of a batch, its shapes checked."""

    def __len__(self) -> int:
        """How many rows of the batch it is of."""
        ...


# (a network's outputs by name, (height, width) of its input in pixels) -> their canonical form
Read: TypeAlias = Callable[[Mapping[str, Array], Size], Form]


def only(raw: Mapping[str, Array], name: str, what: str) -> Array:
    """The output of that name, or the only one whatever its name.

    Raises:
        DataError: there are several, and none is called so; `what` says what is expected.
    """
    if name in raw:
        return raw[name]
    if len(raw) == 1:
        return next(iter(raw.values()))
    raise DataError(f"expected {what}; the network gives {shapes(raw)}")


def shapes(raw: Mapping[str, Array]) -> str:
    """Names and shapes, for a message."""
    return ", ".join(f"{name} {array.shape}" for name, array in raw.items())


def check_finite(array: Array) -> None:
    """That there is no inf and no nan.

    Raises:
        DataError: there is.
    """
    if not np.isfinite(array).all():
        raise DataError(
            "the network gave values that are not finite (inf or nan); "
            "its weights or its number type do not suit this device"
        )


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits of any shape as probabilities, 0..1.

    Raises:
        DataError: some are not finite; an infinite one would be a probability like any other.
    """
    check_finite(logits)
    with np.errstate(over="ignore"):  # exp(-t) is inf where the sigmoid is 0 anyway
        probabilities: NDArray[np.float32] = 1 / (1 + np.exp(-logits))
    return probabilities
