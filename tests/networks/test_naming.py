"""Parameters are named once, as MindSpore names them again and again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from mindspore import Parameter, Tensor, nn

from zoohub.networks.layers.naming import name_parameters, named_at_the_end, rename_parameters
from zoohub.networks.layers.norm import BatchNorm2d


def names(net: nn.Cell) -> list[str]:
    return [parameter.name for parameter in net.get_parameters()]


class Block(nn.Cell):
    def __init__(self, renames: bool = False) -> None:
        super().__init__()
        self.scale = Parameter(Tensor([1.0]), name="gamma")
        self.layers = nn.SequentialCell(BatchNorm2d(2), nn.SequentialCell([BatchNorm2d(2)]))
        if renames:
            name_parameters(self, ((r"layers\.(\d)\.(\w+)", r"norm\1.\2"),))


class Net(nn.Cell):
    """Nested lists, a parameter of its own, one in two places, and a block that named its own."""

    def __init__(self) -> None:
        super().__init__()
        self.token = Parameter(Tensor([1.0]), name="cls_token")
        self.blocks = nn.CellList([Block(), Block(renames=True)])
        self.tied = nn.SequentialCell(self.blocks[0].layers[0])


class Renamed(Net):
    def __init__(self) -> None:
        super().__init__()
        rename_parameters(self, lambda place: place.replace("blocks.", "block"))


class Unprefixed(nn.Cell):
    def __init__(self) -> None:
        super().__init__(auto_prefix=False)
        self.block = Block(renames=True)


@pytest.mark.parametrize("make", [Net, Renamed, Unprefixed, partial(Block, renames=True)])
def test_names_are_those_that_mindspore_gives(make: Callable[[], nn.Cell]) -> None:
    assert names(named_at_the_end(make)) == names(make())


def test_a_cell_around_another_names_it_as_mindspore_does() -> None:
    found = names(named_at_the_end(Renamed))
    assert {"token", "block0.scale", "block1.layers.0.gamma"} <= set(found)


def test_another_threads_network_is_named_at_once() -> None:
    with ThreadPoolExecutor(1) as other:
        inside: list[list[str]] = []

        def make() -> nn.Cell:
            inside.append(other.submit(lambda: names(Net())).result())
            return Net()

        assert names(named_at_the_end(make)) == inside[0] == names(Net())


def test_mindspores_own_naming_is_back_after_an_error() -> None:
    before = nn.Cell.update_parameters_name

    def fail() -> nn.Cell:
        raise ValueError("no such network")

    with pytest.raises(ValueError, match="no such network"):
        named_at_the_end(fail)
    assert nn.Cell.update_parameters_name is before
