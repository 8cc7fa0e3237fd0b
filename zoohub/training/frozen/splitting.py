"""A network cut where its head begins: a body that gives features, and the head over them.

Where the cut is, is seen by running the network once: from its output back through the cells that
lead to it, as long as they hold no parameter but the head's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import nn

from zoohub.errors import RecipeError
from zoohub.framework import limit_onednn, warn_if_too_late
from zoohub.graphs.folding import (
    TOLERANCE,
    copy_network,
    relative_difference,
    replace_cell,
)
from zoohub.running import Array
from zoohub.training.steps.layers import belongs

Names = frozenset[str]


class Link(nn.Cell):
    """Two cells, one after the other; their parameters keep their names."""

    def __init__(self, first: nn.Cell, second: nn.Cell) -> None:
        super().__init__(auto_prefix=False)
        self.first, self.second = first, second

    def construct(self, x: ms.Tensor) -> ms.Tensor:
        """What `first` takes -> what `second` gives."""
        return self.second(self.first(x))


class Reshape(nn.Cell):
    """(batch, …) -> (batch, *shape)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(auto_prefix=False)
        self.shape = shape

    def construct(self, x: ms.Tensor) -> ms.Tensor:
        """See the class."""
        return x.reshape((x.shape[0], *self.shape))


@dataclass(frozen=True)
class Split:
    """A network in two: `body` is a copy over the same parameters, `head` has its own cells.

    `left_out` are parameters of the head that only training runs (those of an auxiliary head).
    """

    body: nn.Cell
    head: nn.Cell
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Call:
    """What a cell took and gave as the network ran; `names` are those of its parameters."""

    cell: nn.Cell
    name: str
    taken: ms.Tensor
    given: ms.Tensor
    names: Names


def split_network(net: nn.Cell, prefixes: Sequence[str], image: Array, name: str) -> Split:
    """Cut a network at its head.

    Args:
        net: a network of pictures; its parameters are not changed.
        prefixes: those of the head's parameters.
        image: one input of the network, (1, C, H, W) float32.
        name: what to call it.

    Raises:
        RecipeError: the head is not known, or the network does not end with it.
    """
    net.set_train(False)
    head = frozenset(p.name for p in net.get_parameters() if _within(p.name, prefixes))
    if not head:
        raise RecipeError(f"freeze: which part of {name} is its head is not known; use frozen")
    given, calls = _traced(net, image, head)
    chain = _chain(given, calls) if isinstance(given, ms.Tensor) else []
    left = head - frozenset(name for call in chain for name in call.names)
    if not chain or (left and _used(net, image, given, left)):
        raise RecipeError(
            f"freeze: what {name} computes does not end with its head ({' '.join(prefixes)}), so "
            "there are no features to keep; name the parts that shall not learn in frozen"
        )
    body = _body(net, chain)
    features = _run(body, image)
    linked = _linked(chain, features, given).set_train(False)
    difference = relative_difference(given.asnumpy(), _run(linked, features.asnumpy()).asnumpy())
    if not difference <= TOLERANCE:
        raise RecipeError(
            f"freeze: the parts of {name} give another result than the whole (by {difference:.1e}, "
            "relative); name the parts that shall not learn in frozen"
        )
    return Split(body, linked, tuple(sorted(left)))


def _traced(net: nn.Cell, image: Array, head: Names) -> tuple[ms.Tensor, list[_Call]]:
    """What the network gives, and in the order of their ends the calls of the cells without
    parameters but the head's."""
    calls: list[_Call] = []

    def hook(name: str, names: Names) -> Callable[[nn.Cell, Sequence[object], object], None]:
        def after(cell: nn.Cell, taken: Sequence[object], given: object) -> None:
            one = taken[0] if len(taken) == 1 else None
            if isinstance(one, ms.Tensor) and isinstance(given, ms.Tensor):
                calls.append(_Call(cell, name, one, given, names))

        return after

    handles = []
    for name, cell in net.cells_and_names():
        names = frozenset(p.name for p in cell.get_parameters())
        if cell is not net and names <= head:
            handles.append(cell.register_forward_hook(hook(name, names)))
    try:
        return _run(net, image), calls
    finally:
        for handle in handles:
            handle.remove()


def _chain(given: ms.Tensor, calls: Sequence[_Call]) -> list[_Call]:
    """The head's calls, first to last; none where it is no chain of cells at the network's end."""
    left = frozenset(name for call in calls for name in call.names)
    return (_back(given, calls, left) if left else None) or []


def _back(given: ms.Tensor, calls: Sequence[_Call], left: Names) -> list[_Call] | None:
    """The calls that lead to `given`, from where all of `left` is in them; a network may give
    another shape to what goes from one to the next."""
    for reshaped in (False, True):
        for place, call in enumerate(calls):  # inner cells end before those that they are in
            if not left and (reshaped or not isinstance(call.cell, nn.Dropout)):
                continue
            if call.given is not given and not (reshaped and _same_values(call.given, given)):
                continue
            before = _back(call.taken, calls[:place], left - call.names)
            if before is not None:
                return [*before, call]
    return None if left else []


def _same_values(one: ms.Tensor, other: ms.Tensor) -> bool:
    return one.size == other.size and np.array_equal(one.asnumpy().ravel(), other.asnumpy().ravel())


def _body(net: nn.Cell, chain: Sequence[_Call]) -> nn.Cell:
    """A copy of the network with nothing in the place of its head."""
    twin = copy_network(net)
    cells = dict(twin.cells_and_names())
    for call in chain:
        parent, _, last = call.name.rpartition(".")
        replace_cell(cells[parent], last, nn.Identity())
    return twin


def _linked(chain: Sequence[_Call], features: ms.Tensor, given: ms.Tensor) -> nn.Cell:
    """The head's own cells as one, from features to what the network gives."""
    cells: list[nn.Cell] = []
    comes = features
    for call in chain:
        if call.taken.shape != comes.shape:
            cells.append(Reshape(call.taken.shape[1:]))
        cells.append(call.cell)
        comes = call.given
    if comes.shape != given.shape:
        cells.append(Reshape(given.shape[1:]))
    linked = cells[-1]
    for cell in reversed(cells[:-1]):
        linked = Link(cell, linked)
    return linked


def _used(net: nn.Cell, image: Array, given: ms.Tensor, names: Names) -> bool:
    """Whether the network's output depends on these parameters in evaluation."""
    before = {p.name: p.asnumpy().copy() for p in net.get_parameters() if p.name in names}
    parameters = [p for p in net.get_parameters() if p.name in names]
    try:
        for parameter in parameters:
            parameter.set_data(parameter + 1)
        return not np.array_equal(_run(net, image).asnumpy(), given.asnumpy())
    finally:
        for parameter in parameters:
            parameter.set_data(ms.Tensor(before[parameter.name]))


def _run(net: nn.Cell, array: Array) -> ms.Tensor:
    """What a network gives, in PyNative mode, in which hooks are called."""
    warn_if_too_late(limit_onednn())
    mode = ms.get_context("mode")
    ms.set_context(mode=ms.PYNATIVE_MODE)
    try:
        return net(ms.Tensor(array))
    finally:
        ms.set_context(mode=mode)


def _within(name: str, prefixes: Sequence[str]) -> bool:
    return any(belongs(name, prefix) for prefix in prefixes)
