"""The shapes a network is exported and checked with: pure decisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from zoohub.errors import ExportError
from zoohub.graphs.inputs import GraphInput
from zoohub.manifest.entry import InputContract
from zoohub.networks.family import Taken
from zoohub.outputs.form import Array

AXES = ("batch", "height", "width")
SEQUENCE_AXES = ("batch", "length")
# What ONNX files call the sole input of a network of pictures.
IMAGES = "images"


class Shape(Protocol):
    """The inputs of a network as they are exported."""

    @property
    def inputs(self) -> tuple[GraphInput, ...]:
        """As the graph takes them, in order."""
        ...

    def tests(self) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """Two sets of seeded arrays to check with; they differ in every open dimension."""
        ...


@dataclass(frozen=True, slots=True)
class InputShape:
    """A picture as it is exported: a layout, its sizes, and which of them stay open.

    Heights and widths are in pixels; `dynamic` holds names of `AXES`; `contract` says what the
    pixels are.
    """

    layout: str
    batch: int
    channels: int
    height: int
    width: int
    dynamic: frozenset[str] = frozenset()
    contract: InputContract | None = None

    @property
    def inputs(self) -> tuple[GraphInput, ...]:
        """See `Shape.inputs`."""
        return (GraphInput(IMAGES, self.array_shape(), self.axes),)

    def tests(self) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """See `Shape.tests`."""
        first, second = (
            (seeded_input(dims, self.contract, seed),)
            for seed, dims in enumerate(self.test_shapes())
        )
        return first, second

    def array_shape(
        self, batch: int | None = None, size: tuple[int, int] | None = None
    ) -> tuple[int, ...]:
        """The shape of an input, by default of the exported size."""
        height, width = size or (self.height, self.width)
        number = self.batch if batch is None else batch
        if self.layout == "NHWC":
            return (number, height, width, self.channels)
        return (number, self.channels, height, width)

    @property
    def axes(self) -> dict[int, str]:
        """The open axes by their place: 0 is the batch."""
        places = {"batch": 0, "height": 2, "width": 3}
        if self.layout == "NHWC":
            places = {"batch": 0, "height": 1, "width": 2}
        return {places[name]: name for name in AXES if name in self.dynamic}

    @property
    def open_shape(self) -> tuple[int | None, ...]:
        """The exported shape, None for every open dimension."""
        return tuple(None if i in self.axes else n for i, n in enumerate(self.array_shape()))

    def test_shapes(self) -> tuple[tuple[int, ...], ...]:
        """Two shapes to check with; they differ in every open dimension.

        Sizes change by 64, the largest stride of zoohub's networks.
        """
        height = self.height + 64 if "height" in self.dynamic else self.height
        width = self.width
        if "width" in self.dynamic:
            width = self.width - 64 if self.width > 128 else self.width + 64
        batch = self.batch + 2 if "batch" in self.dynamic else self.batch
        return self.array_shape(), self.array_shape(batch, (height, width))


def plan_shape(
    contract: InputContract | None,
    *,
    channels: int | None,
    batch: int = 1,
    size: int | tuple[int, int] | None = None,
    dynamic: Collection[str] = (),
) -> InputShape:
    """The input's shape from what is known of it and what is asked.

    `size` is (height, width) or one number for both, by default the contract's. `channels` are
    those of the network's first convolution, which a contract in NCHW gives way to.

    Raises:
        ExportError: no size is known or given, or a number or an axis makes no sense.
    """
    unknown = sorted(set(dynamic) - set(AXES))
    if unknown:
        raise ExportError(f"no axis {', '.join(unknown)}: choose from {', '.join(AXES)}")
    if batch < 1:
        raise ExportError(f"batch={batch}: at least 1 is needed")
    given = (size, size) if isinstance(size, int) else size
    height, width = given or (contract.size if contract else None) or (0, 0)
    if height < 1 or width < 1:
        raise ExportError("the index does not know this network's input size: give --size HxW")
    layout = contract.layout if contract else "NCHW"
    known = contract.channels if contract else 3
    if layout == "NCHW" and channels is not None:
        known = channels
    return InputShape(layout, batch, known, height, width, frozenset(dynamic), contract)


def exported_contract(contract: InputContract, shape: InputShape) -> InputContract:
    """What a file of that shape says of its input. Of pictures that come in any size it takes them
    so where its height and width are open; else they are fitted into its one size, as are lines of
    any width where its width is not open."""
    channels = shape.channels
    if contract.open_size:
        if {"height", "width"} <= shape.dynamic:
            return replace(contract, channels=channels)
        contract = replace(contract, resize="pad")
    if contract.line is not None and "width" not in shape.dynamic:
        contract = replace(contract, line=replace(contract.line, widest=None))
    return replace(contract, size=(shape.height, shape.width), channels=channels)


@dataclass(frozen=True, slots=True)
class SequenceShape:
    """Sequences as they are exported: whole numbers (batch, length) under each name.

    `limits` are what each input's numbers stay below.
    """

    names: tuple[str, ...]
    limits: tuple[int, ...]
    batch: int
    length: int
    dynamic: frozenset[str] = frozenset()

    @property
    def inputs(self) -> tuple[GraphInput, ...]:
        """See `Shape.inputs`."""
        axes = {i: name for i, name in enumerate(SEQUENCE_AXES) if name in self.dynamic}
        shape = (self.batch, self.length)
        return tuple(GraphInput(name, shape, axes, "int32") for name in self.names)

    def tests(self) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """See `Shape.tests`."""
        batch = self.batch + 2 if "batch" in self.dynamic else self.batch
        length = max(1, self.length // 2) if "length" in self.dynamic else self.length
        rng = np.random.default_rng(0)
        first, second = (
            tuple(rng.integers(0, limit, dims).astype(np.int32) for limit in self.limits)
            for dims in ((self.batch, self.length), (batch, length))
        )
        return first, second


@dataclass(frozen=True, slots=True)
class MixedShape:
    """Inputs of several kinds, as a family says them: `batch` rows, and where they have such an
    axis, `length` steps; any number of those that are `dynamic`."""

    taken: tuple[Taken, ...]
    batch: int
    length: int = 1
    dynamic: frozenset[str] = frozenset()

    @property
    def inputs(self) -> tuple[GraphInput, ...]:
        """See `Shape.inputs`."""
        sizes = {"batch": self.batch, "length": self.length}
        return tuple(
            GraphInput(one.name, _closed(one, sizes), _open_axes(one, self.dynamic), one.dtype)
            for one in self.taken
        )

    def tests(self) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """See `Shape.tests`: noise, and of whole numbers some that are known."""
        rng = np.random.default_rng(0)
        batch = self.batch + 2 if "batch" in self.dynamic else self.batch
        length = max(1, self.length // 2) if "length" in self.dynamic else self.length
        first, second = (
            tuple(
                rng.integers(0, one.below, _closed(one, sizes)).astype(one.dtype)
                if np.dtype(one.dtype).kind == "i"
                else rng.standard_normal(_closed(one, sizes)).astype(one.dtype)
                for one in self.taken
            )
            for sizes in (
                {"batch": self.batch, "length": self.length},
                {"batch": batch, "length": length},
            )
        )
        return first, second


def _closed(one: Taken, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sizes[axis] if isinstance(axis, str) else axis for axis in one.axes)


def _open_axes(one: Taken, dynamic: Collection[str]) -> dict[int, str]:
    return {place: str(axis) for place, axis in enumerate(one.axes) if axis in dynamic}


def plan_sequences(
    names: tuple[str, ...],
    *,
    vocabulary: int,
    batch: int = 1,
    length: int | None = None,
    dynamic: Collection[str] = (),
) -> SequenceShape:
    """The shape of a network's sequences of token numbers, masks and the like, by their names.

    The first are tokens, below `vocabulary`; the others are 0 or 1.

    Raises:
        ExportError: no length is given, or a number or an axis makes no sense.
    """
    unknown = sorted(set(dynamic) - set(SEQUENCE_AXES))
    if unknown:
        raise ExportError(f"no axis {', '.join(unknown)}: choose from {', '.join(SEQUENCE_AXES)}")
    if batch < 1:
        raise ExportError(f"batch={batch}: at least 1 is needed")
    if length is None or length < 1:
        raise ExportError("this network takes sequences: give --length N")
    limits = (vocabulary, *(2 for _ in names[1:]))
    return SequenceShape(tuple(names), limits, batch, length, frozenset(dynamic))


def seeded_input(
    shape: tuple[int, ...], contract: InputContract | None, seed: int
) -> NDArray[np.float32]:
    """Noise in the network's own range: pixels drawn evenly, normalised as the contract says."""
    pixels = np.random.default_rng(seed).random(shape)
    if contract is not None:
        if contract.value_range == "0..255":
            pixels *= 255
        axis = (1, -1, 1, 1) if contract.layout == "NCHW" else (1, 1, 1, -1)
        if contract.mean is not None and len(contract.mean) in (1, shape[axis.index(-1)]):
            pixels -= np.array(contract.mean).reshape(axis)
        if contract.std is not None and len(contract.std) in (1, shape[axis.index(-1)]):
            pixels /= np.array(contract.std).reshape(axis)
    return pixels.astype(np.float32)
