"""Where a network's head begins, and what is said of one that cannot be cut there."""

from __future__ import annotations

from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn, ops

from zoohub.errors import RecipeError
from zoohub.training.frozen.splitting import split_network

IMAGE = np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)


class Network(nn.Cell):
    """A convolution, a mean, and what a test puts after it."""

    def __init__(self, end: nn.Cell, *, flatten: bool = False, tail: Any = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.end, self.flatten, self.tail = end, flatten, tail

    def construct(self, x: ms.Tensor) -> ms.Tensor:
        x = self.conv(x).mean((2, 3), keep_dims=self.flatten)
        x = self.end(x)
        if self.tail is not None:
            x = self.tail(x)
        return ops.flatten(x) if self.flatten else x


def split(net: nn.Cell, *head: str) -> tuple[list[str], tuple[int, ...], tuple[str, ...]]:
    """The head's parameters, the shape of a feature, and what is left out."""
    before = {p.name: p.asnumpy().copy() for p in net.get_parameters()}
    whole = net.set_train(False)(ms.Tensor(IMAGE)).asnumpy()
    found = split_network(net, head, IMAGE, "toy")
    features = found.body(ms.Tensor(IMAGE))
    assert found.head(features).asnumpy() == pytest.approx(whole, abs=1e-6)
    assert net(ms.Tensor(IMAGE)).asnumpy() == pytest.approx(whole)
    assert all((p.asnumpy() == before[p.name]).all() for p in net.get_parameters())
    return [p.name for p in found.head.get_parameters()], features.shape, found.left_out


def test_a_last_layer_is_the_head() -> None:
    assert split(Network(nn.Dense(4, 5)), "end") == (["end.weight", "end.bias"], (1, 4), ())


def test_dropout_before_it_learns_with_it() -> None:
    end = nn.SequentialCell(nn.Dense(4, 6), nn.ReLU(), nn.Dropout(p=0.5), nn.Dense(6, 5))
    net = Network(end)
    names, shape, _ = split(net, "end.3")
    assert names == ["end.3.weight", "end.3.bias"]
    assert shape == (1, 6)  # behind the ReLU
    found = split_network(net, ["end.3"], IMAGE, "toy").head
    assert [type(cell) for _, cell in found.cells_and_names()][1:] == [nn.Dropout, nn.Dense]


def test_several_layers_can_be_the_head() -> None:
    end = nn.SequentialCell(nn.Dense(4, 6), nn.ReLU(), nn.Dense(6, 5))
    assert split(Network(end), "end.0", "end.2")[1:] == ((1, 4), ())


def test_a_convolution_can_be_the_head() -> None:
    end = nn.Conv2d(4, 5, 1, has_bias=True)
    assert split(Network(end, flatten=True), "end") == (["end.weight", "end.bias"], (1, 4), ())


class Reshaping(nn.Cell):
    """A layer and a norm that takes another shape."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.bn = nn.Dense(4, 5), nn.BatchNorm2d(5)

    def construct(self, x: ms.Tensor) -> ms.Tensor:
        return ops.flatten(self.bn(self.fc(x)[:, :, None, None]))


def test_what_only_changes_the_shape_between_layers_is_followed() -> None:
    net = Network(Reshaping())
    names, shape, _ = split(net, "end.fc", "end.bn")
    assert len(names) == 6
    assert shape == (1, 4)


def test_what_only_training_runs_is_left_out() -> None:
    net = Network(nn.Dense(4, 5))
    net.aux = nn.Dense(4, 5)
    assert split(net, "end", "aux")[2] == ("aux.bias", "aux.weight")


class Beside(nn.Cell):
    """Two heads whose results are added."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Dense(4, 5), nn.Dense(4, 5)

    def construct(self, x: ms.Tensor) -> ms.Tensor:
        return self.one(x) + self.other(x)


def test_heads_that_are_one_cell_are_one() -> None:
    assert split(Network(Beside()), "end")[1:] == ((1, 4), ())


@pytest.mark.parametrize(
    ("net", "head", "match"),
    [
        (Network(nn.Dense(4, 5)), ("fc",), "which part of toy is its head is not known"),
        (Network(nn.Dense(4, 5), tail=nn.Dense(5, 5)), ("end",), "does not end with its head"),
        (Network(Beside()), ("end.one",), "does not end with its head"),
    ],
)
def test_another_network_is_refused(net: nn.Cell, head: tuple[str, ...], match: str) -> None:
    with pytest.raises(RecipeError, match=match):
        split_network(net, head, IMAGE, "toy")
