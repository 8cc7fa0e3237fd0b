"""What a graph takes: inputs by name, each with a shape, open axes and an element type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import mindspore as ms

from zoohub.networks.family import Taken


@dataclass(frozen=True, slots=True)
class GraphInput:
    """One input of a graph.

    `shape` is the one it is compiled with; `open` names the axes that may have any size, by their
    place (`{0: "batch", 1: "length"}`); `dtype` is NumPy's name of the element type.
    """

    name: str
    shape: tuple[int, ...]
    open: Mapping[int, str] = field(default_factory=dict)
    dtype: str = "float32"

    @property
    def open_shape(self) -> tuple[int | None, ...]:
        """The shape, None for every open axis."""
        return tuple(None if place in self.open else n for place, n in enumerate(self.shape))

    def example(self) -> ms.Tensor:
        """What MindSpore compiles with."""
        dtype = getattr(ms, self.dtype)
        if self.open:
            return ms.Tensor(shape=list(self.open_shape), dtype=dtype)
        return ms.ops.zeros(self.shape, dtype)


def part_inputs(taken: Sequence[Taken], length: int = 1) -> tuple[GraphInput, ...]:
    """What a part takes; its named axes are open, as they are where they are `length`."""
    return tuple(
        GraphInput(
            one.name,
            one.dims({axis: length for axis in one.axes if isinstance(axis, str)}),
            {place: axis for place, axis in enumerate(one.axes) if isinstance(axis, str)},
            one.dtype,
        )
        for one in taken
    )
