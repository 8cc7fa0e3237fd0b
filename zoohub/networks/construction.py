"""Construction of networks whose weights a file will bring: without what it overwrites."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mindspore import nn
from mindspore.ops.operations import other_ops

from zoohub.networks.layers.naming import named_at_the_end
from zoohub.networks.layers.parameter import without_values


def construct_empty(construct: Callable[[], nn.Cell]) -> nn.Cell:
    """The network that `construct` makes, its parameters without data where MindSpore can
    (`no_init_parameters`).

    What is patched meanwhile is put back on errors too.
    """
    try:
        from mindspore.nn.utils import no_init_parameters
    except ImportError:
        return construct()
    with no_init_parameters(), without_values(), _one_load_operator():
        return named_at_the_end(construct)


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
