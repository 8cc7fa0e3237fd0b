"""What the writers of all formats share: names and arrays, checked and made contiguous."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from zoohub.checkpoint.dtypes import TYPES, ElementType, type_of
from zoohub.checkpoint.weights import Array, Weights
from zoohub.errors import CheckpointError

Arrays = Mapping[str, Array]


def as_bytes(array: Array) -> memoryview:
    """The memory of a row-major array, as bytes."""
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")


def prepare(
    arrays: Arrays, names: Iterable[str] | None = None
) -> Iterator[tuple[str, ElementType, npt.NDArray[np.generic]]]:
    """Each name with its element type and a row-major little-endian array of its storage type.

    In the order of `names`, by default the mapping's own. One array at a time, so that a file
    larger than memory can be converted.

    Raises:
        CheckpointError: a name is no proper text, or an array has a type no format holds.
    """
    table = arrays.table() if isinstance(arrays, Weights) else {}
    for name in arrays if names is None else names:
        if not isinstance(name, str) or not name or "\x00" in name:
            raise CheckpointError(f"{name!r} cannot be the name of a parameter")
        if isinstance(arrays, Weights):
            kind = TYPES[table[name].dtype]
            array = arrays.raw(name)
        else:
            array = np.asarray(arrays[name])
            try:
                kind = type_of(array)
            except TypeError as error:
                raise CheckpointError(f"{name!r} cannot be written: {error}") from None
            if kind.name == "bfloat16" and array.dtype != kind.storage:
                array = array.view(kind.storage)
        # ascontiguousarray would turn a scalar into one dimension of 1.
        yield name, kind, np.asarray(array, dtype=kind.storage, order="C")
