"""Cells that are quick to construct."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mindspore import Parameter, nn, ops
from mindspore.nn.cell import cells_compile_cache


class Cell(nn.Cell):
    """An `nn.Cell` whose `__init__` takes a third of the time; nothing else differs.

    For the blocks that a network has many of.
    """

    def __init__(self) -> None:
        start(self)


def start(cell: nn.Cell) -> None:
    """Do what `nn.Cell.__init__` does, to a cell that was made by `__new__`.

    MindSpore sets some sixty attributes one after another, and a network has up to a thousand
    cells: that was a sixth of the time in which HRNet is loaded. They are the same in every cell
    of a class, so they are set once and given to the others as unpickling gives them.
    """
    kind: Callable[..., nn.Cell] = type(cell)
    _take(cell, _blank(kind))


def another(make: Callable[[], nn.Cell]) -> nn.Cell:
    """What `make()` makes, after the first that it made where that holds neither parameters nor
    cells: an activation, say, whose constructor takes as long as a convolution's."""
    kind, state = _first(make)
    if state is None:
        return make()
    cell = nn.Cell.__new__(kind)
    _take(cell, state)
    return cell


@dataclass(frozen=True, slots=True)
class _State:
    """What makes up a cell: MindSpore's own part, the attributes, and which of them are containers,
    of which each cell needs its own."""

    base: Any
    attributes: dict[str, Any]
    containers: tuple[str, ...]


def _take(cell: nn.Cell, state: _State) -> None:
    """Give a cell that was made by `__new__` the state of another."""
    attributes = state.attributes.copy()
    for name in state.containers:
        attributes[name] = attributes[name].copy()
    attributes["_create_time"] = time.time_ns()
    cell.__setstate__((state.base, attributes))
    # What `nn.Cell.__init__` writes down outside of the cell, and its `__del__` takes back.
    cells_compile_cache[id(cell)] = attributes["_compile_cache"]
    nn.Cell.total_instance_count += 1


def _state_of(cell: nn.Cell) -> _State:
    base, attributes = cell.__getstate__()
    containers = [n for n, value in attributes.items() if isinstance(value, dict | list | set)]
    return _State(base, dict(attributes), tuple(containers))


@lru_cache(maxsize=1024)
def _blank(kind: Callable[..., nn.Cell]) -> _State:
    """The state of a cell of that class in which there is nothing yet."""
    cell = nn.Cell.__new__(kind)
    nn.Cell.__init__(cell)
    return _state_of(cell)


@lru_cache(maxsize=1024)
def _first(make: Callable[[], nn.Cell]) -> tuple[type[nn.Cell], _State | None]:
    """The class of what `make` makes, and its state where nothing in it is to be made anew."""
    cell = make()
    return type(cell), None if cell._params or cell._cells else _state_of(cell)


def fill(
    cell: nn.Cell, parameters: Mapping[str, Parameter], operators: Mapping[str, ops.Primitive]
) -> None:
    """Give a cell that was just started its parameters and operators, as assignments would.

    `nn.Cell.__setattr__` asks of each first whether it is one of six other things, and whether the
    cell has something of that name.
    """
    cell._params.update(parameters)
    for name, operator in operators.items():
        operator.set_prim_instance_name(name)
    cell._primitives.update(operators)
    cell.__dict__.update(operators)
