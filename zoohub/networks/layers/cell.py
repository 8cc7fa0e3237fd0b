"""Cells that are quick to construct."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from mindspore import Parameter, nn, ops
from mindspore.nn.cell import cells_compile_cache


class Cell(nn.Cell):
    """An `nn.Cell` whose `__init__` takes a seventh of the time; nothing else differs.

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
    base, attributes, containers = _blank(kind)
    own: dict[str, Any] = {name: make() for name, make in containers.items()}
    cell.__setstate__((base, {**attributes, **own, "_create_time": time.time_ns()}))
    # What `nn.Cell.__init__` writes down outside of the cell, and its `__del__` takes back.
    cells_compile_cache[id(cell)] = cell.compile_cache
    nn.Cell.total_instance_count += 1


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


@lru_cache(maxsize=1024)
def _blank(
    kind: Callable[..., nn.Cell],
) -> tuple[Any, dict[str, Any], dict[str, Callable[[], Any]]]:
    """The state of a new cell of that class: MindSpore's own part, the attributes, and those of
    them that hold something empty, by what makes another."""
    cell = nn.Cell.__new__(kind)
    nn.Cell.__init__(cell)
    base, attributes = cell.__getstate__()
    containers: dict[str, Callable[[], Any]] = {
        name: type(value)
        for name, value in attributes.items()
        if isinstance(value, dict | list | set)
    }
    full = sorted(name for name in containers if attributes[name])
    assert not full, f"a new cell's {', '.join(full)} would be shared"
    return base, dict(attributes), containers
