"""Networks written as a table of layers, each naming the layers it reads from.

This is how the YOLO families are published: layer i's parameters are `model.<i>.…`, so a table
gives a network its checkpoint's names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from mindspore import Tensor, nn


@dataclass(frozen=True, slots=True)
class Scale:
    """How one size of a family stretches the family's table.

    `max_channels` cuts the table's counts before they are multiplied by the width.
    """

    depth: float
    width: float
    max_channels: int | None = None

    def channels(self, base: int) -> int:
        """`base` channels times the width, rounded up to a multiple of 8."""
        if self.max_channels is not None:
            base = min(base, self.max_channels)
        return ceil(base * self.width / 8) * 8

    def repeats(self, base: int) -> int:
        """`base` repeats times the depth, at least 1."""
        return max(round(base * self.depth), 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One layer of a table.

    `make` gets the channel counts of the layers read and the scale, and returns the cell and its
    own channel count. `sources` are the indices of the layers read; below 0 they count back: -1 is
    the layer before. With one source the cell gets a tensor, with several a tuple.
    """

    make: Callable[[Sequence[int], Scale], tuple[nn.Cell, int]]
    sources: tuple[int, ...] = (-1,)


def row(
    cell: Callable[..., nn.Cell],
    channels: int,
    /,
    *arguments: object,
    repeats: int | None = None,
    source: int = -1,
    **named: object,
) -> Row:
    """The usual row: `cell(in_channels, out_channels, [repeats,] *arguments, **named)`.

    `channels` and `repeats` are before scaling.
    """

    def make(read: Sequence[int], scale: Scale) -> tuple[nn.Cell, int]:
        count = () if repeats is None else (scale.repeats(repeats),)
        width = scale.channels(channels)
        return cell(read[0], width, *count, *arguments, **named), width

    return Row(make, (source,))


class Rows(list[Row]):
    """A table that grows, for families whose sizes differ in how many rows a stage has."""

    def put(self, *rows: Row) -> int:
        """Append rows, and return the last one's index."""
        self.extend(rows)
        return len(self) - 1


class LayerTable(nn.Cell):
    """(B, in_channels, H, W) -> the last row's output."""

    def __init__(self, rows: Sequence[Row], scale: Scale, in_channels: int) -> None:
        super().__init__()
        cells: list[nn.Cell] = []
        channels: list[int] = []
        reads: list[tuple[int, ...]] = []
        for index, row in enumerate(rows):
            sources = tuple(index + source if source < 0 else source for source in row.sources)
            # Before the first layer lies the picture.
            known = [in_channels if source == -1 else channels[source] for source in sources]
            cell, out_channels = row.make(known, scale)
            cells.append(cell)
            channels.append(out_channels)
            reads.append(sources)
        self.model = nn.CellList(cells)
        self.reads = tuple(reads)
        # Outputs that a later layer than the next one reads; the others are let go at once.
        self.kept = tuple(
            {
                source
                for index, sources in enumerate(reads)
                for source in sources
                if source < index - 1
            }
        )

    def construct(self, x: Tensor) -> Any:
        outputs: tuple[Any, ...] = ()
        for index, cell in enumerate(self.model):
            inputs: tuple[Any, ...] = ()
            for source in self.reads[index]:
                inputs = (*inputs, x if source == index - 1 else outputs[source])
            x = cell(inputs if len(inputs) > 1 else inputs[0])
            outputs = (*outputs, x if index in self.kept else None)
        return x


class TableNetwork(nn.Cell):
    """A network that is one table: (B, in_channels, H, W) -> the last row's output.

    Its parameters are `model.model.<row>.…`, as mindyolo has it.
    """

    def __init__(self, rows: Sequence[Row], scale: Scale, in_channels: int) -> None:
        super().__init__()
        self.model = LayerTable(rows, scale, in_channels)

    def construct(self, x: Tensor) -> Any:
        return self.model(x)


def scale_of(
    family: str,
    scales: Mapping[str, Scale],
    size: str,
    width: float | None = None,
    depth: float | None = None,
) -> Scale:
    """The scale of a size, with another width or depth where they are given.

    Raises:
        ValueError: an unknown size, or a width or depth not above 0.
    """
    if size not in scales:
        raise ValueError(f"{family} has sizes {', '.join(scales)}, not {size!r}")
    own = scales[size]
    scale = Scale(
        own.depth if depth is None else depth,
        own.width if width is None else width,
        own.max_channels,
    )
    if not (scale.depth > 0 and scale.width > 0):
        raise ValueError(f"width and depth must be above 0, not {width} and {depth}")
    return scale
