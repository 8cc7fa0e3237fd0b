"""Construction of networks whose weights a file will bring: without what it overwrites."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mindspore import nn
from mindspore.ops.operations import other_ops


def construct_empty(construct: Callable[[], nn.Cell]) -> nn.Cell:
    """The network that `construct` makes, its parameters without data where MindSpore can
    (`no_init_parameters`, 2.x), their names as ever.

    What is patched meanwhile is put back on errors too.
    """
    try:
        from mindspore.nn.utils import no_init_parameters
    except ImportError:
        return construct()
    with no_init_parameters(), _one_load_operator(), _names_put_off():
        net = construct()
    for name, cell in net.name_cells().items():
        cell.update_parameters_name(f"{name}.")
    return net


@contextmanager
def _one_load_operator() -> Iterator[None]:
    """Give the parameters that are made meanwhile one operator `Load` together.

    MindSpore makes one for each, which takes half of the parameter's time: of HRNet's 1,627, a
    third of all that building it took. The operator has no arguments and no state, so whoever else
    makes a parameter just then can share it too.
    """
    made = getattr(other_ops, "Load", None)
    if made is None:  # a later MindSpore's affair
        yield
        return
    one = made()
    other_ops.Load = lambda: one
    try:
        yield
    finally:
        other_ops.Load = made


@contextmanager
def _names_put_off() -> Iterator[None]:
    """Leave parameters without their cells' names while this thread puts cells into cells.

    MindSpore renames all that is in a cell whenever it is put into another, so that HRNet's 1,627
    parameters are named 10,537 times. Only the last name stays, the path from the outermost cell.
    """
    rename, builder = nn.Cell.update_parameters_name, threading.get_ident()

    def unless_building(cell: nn.Cell, prefix: str = "", recurse: bool = True) -> None:
        if threading.get_ident() != builder:
            rename(cell, prefix, recurse)

    nn.Cell.update_parameters_name = unless_building
    try:
        yield
    finally:
        nn.Cell.update_parameters_name = rename
