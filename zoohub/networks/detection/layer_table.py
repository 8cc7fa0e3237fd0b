"""Networks written as a table of layers, each naming the layers it reads from.

This is how the YOLO families are published: layer i's parameters are `model.<i>.…`, so a table
gives a network its checkpoint's names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from mindspore import Tensor, nn


@dataclass(frozen=True, slots=True)
class Scale:
    """How one size of a family stretches the family's table."""

    depth: float
    width: float

    def channels(self, base: int) -> int:
        """`base` channels times the width, rounded up to a multiple of 8."""
        return ceil(base * self.width / 8) * 8

    def repeats(self, base: int) -> int:
        """`base` repeats times the depth, at least 1."""
        return max(round(base * self.depth), 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One layer of a table.

    `make` gets the channel counts of the layers read and the scale, and returns the cell and its
    own channel count. `sources` are the indices of the layers read; -1 is the layer before. With
    one source the cell gets a tensor, with several a tuple.
    """

    make: Callable[[Sequence[int], Scale], tuple[nn.Cell, int]]
    sources: tuple[int, ...] = (-1,)


class LayerTable(nn.Cell):
    """(B, in_channels, H, W) -> the last row's output."""

    def __init__(self, rows: Sequence[Row], scale: Scale, in_channels: int) -> None:
        super().__init__()
        cells: list[nn.Cell] = []
        channels: list[int] = []
        reads: list[tuple[int, ...]] = []
        for index, row in enumerate(rows):
            sources = tuple(index - 1 if source == -1 else source for source in row.sources)
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
