"""How parameters get their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from threading import get_ident

from mindspore import nn

# The cells whose parameters were renamed while names are put off.
_renamed: ContextVar[list[nn.Cell] | None] = ContextVar("_renamed", default=None)


def name_parameters(net: nn.Cell, rules: Sequence[tuple[str, str]]) -> None:
    """Name the parameters after their places in `net`, as changed by `rules`.

    `rules` are (regular expression for the place's whole path, replacement); the first that
    matches counts. For publishers whose lists of cells lost or doubled a prefix.
    """

    def by_rules(place: str) -> str:
        for pattern, replacement in rules:
            name, matches = re.subn(rf"\A(?:{pattern})\Z", replacement, place)
            if matches:
                return name
        return place

    rename_parameters(net, by_rules)


def rename_parameters(net: nn.Cell, rename: Callable[[str], str]) -> None:
    """Name each parameter what `rename` makes of its place in `net`, its path of attributes."""
    for place, parameter in net.parameters_and_names():
        parameter.name = rename(place)
    renamed = _renamed.get()
    if renamed is not None:
        renamed.append(net)


def named_at_the_end(construct: Callable[[], nn.Cell]) -> nn.Cell:
    """The network that `construct` makes, its parameters named once, after all is in its place.

    MindSpore names all parameters below a cell anew whenever it, or a cell around it, is put into
    another, by their places: in HRNet seven times each, a tenth of the time to load it.
    """
    renamed: list[nn.Cell] = []
    token, at_once, here = _renamed.set(renamed), nn.Cell.update_parameters_name, get_ident()

    def put_off(cell: nn.Cell, prefix: str = "", recurse: bool = True) -> None:
        if get_ident() != here:  # somebody else's network
            at_once(cell, prefix, recurse)

    nn.Cell.update_parameters_name = put_off
    try:
        net = construct()
    finally:
        nn.Cell.update_parameters_name = at_once
        _renamed.reset(token)
    if net._auto_prefix and not any(net is one for one in renamed):
        for name, cell in net._cells.items():
            if cell is not None:
                cell.update_parameters_name(f"{name}.")
    return net
