"""Cells that are quick to construct."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

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
    of a class, so they are set in the first and given to the others as unpickling gives them.
    """
    state = _started.get(type(cell))
    if state is None:
        nn.Cell.__init__(cell)
        _started[type(cell)] = _state_of(cell)
    else:
        _take(cell, state)


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
    """What makes up a cell: MindSpore's own part, the attributes, and those of them that are
    containers, of which each cell needs its own."""

    base: Any
    attributes: dict[str, Any]
    containers: dict[str, Any]


# By class. A class that its program gives up is not kept.
_started: MutableMapping[type[nn.Cell], _State] = WeakKeyDictionary()


def _take(cell: nn.Cell, state: _State) -> None:
    """Give a cell that was made by `__new__` the state of another."""
    attributes = state.attributes.copy()
    for name, container in state.containers.items():
        attributes[name] = container.copy()
    attributes["_create_time"] = time.time_ns()
    nn.Cell.__setstate__(cell, (state.base, attributes))  # a class may have a method of its own
    # What `nn.Cell.__init__` writes down outside of the cell, and its `__del__` takes back.
    cells_compile_cache[id(cell)] = attributes["_compile_cache"]
    nn.Cell.total_instance_count += 1


def _state_of(cell: nn.Cell) -> _State:
    base, attributes = nn.Cell.__getstate__(cell)
    containers = {n: v.copy() for n, v in attributes.items() if isinstance(v, dict | list | set)}
    return _State(base, dict(attributes), containers)


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
