"""What a runner is: named arrays in, named arrays out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from numpy.typing import NDArray

from zoohub.errors import DataError

Array: TypeAlias = NDArray[Any]
Inputs: TypeAlias = Mapping[str, Array]
Outputs: TypeAlias = dict[str, Array]
Mode = Literal["graph", "pynative"]

# The sole input of a network of pictures; ONNX files that zoohub wrote call it `images`.
IMAGE = "image"
IMAGE_IN_FILES = "images"


class Runner(Protocol):
    """Runs a network in evaluation mode on NumPy arrays; several threads may share it."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the network's inputs, in its order."""
        ...

    def run(self, inputs: Inputs) -> Outputs:
        """The network's outputs for a batch, by name, in the network's order.

        Arrays have the batch as first axis, of any length: a network of fixed batch is run as
        often as needed. Nested outputs are flattened depth first; floats come as float32.

        Raises:
            DataError: the names are not `inputs`, or the batches differ in length.
        """
        ...


def in_order(inputs: Inputs, names: Sequence[str]) -> tuple[Array, ...]:
    """The arrays in the order of the network's inputs.

    Raises:
        DataError: others are given, or their batches differ in length.
    """
    if inputs.keys() != set(names):
        raise DataError(
            f"the network takes {', '.join(names)}; got {', '.join(inputs) or 'nothing'}"
        )
    lengths = {len(array) for array in inputs.values() if array.ndim}
    if len(lengths) > 1:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in inputs.items())
        raise DataError(f"inputs of one batch must be equally many; got {shapes}")
    return tuple(inputs[name] for name in names)


def row_length(shapes: Sequence[Sequence[object]]) -> int | None:
    """How many steps a network takes that was exported for sequences of one length, from its
    inputs' shapes; None where it takes any, or something else."""
    lengths = {shape[1] if len(shape) == 2 else None for shape in shapes}
    length = lengths.pop() if len(lengths) == 1 else None
    return length if isinstance(length, int) else None


def existing(path: str | Path) -> Path:
    """The path.

    Raises:
        DataError: there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    return path
