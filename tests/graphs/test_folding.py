from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from zoohub.errors import ExportError
from zoohub.graphs import folding
from zoohub.graphs.folding import (
    copy_network,
    fold_batch_norms,
    prepare_copy,
    relative_difference,
)

PICTURE = np.random.default_rng(0).random((1, 3, 32, 32), dtype=np.float32)


class Branching(nn.Cell):
    """A convolution whose output is used beside its batch norm."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3)
        self.bn = nn.BatchNorm2d(4)

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return ops.relu(self.bn(y)) - y


class Shared(nn.Cell):
    """One convolution for two batch norms, which fold into nothing, and one pair that folds."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, has_bias=True, bias_init="normal")
        self.first = nn.BatchNorm2d(3)
        self.second = nn.BatchNorm2d(3)
        self.pair = nn.SequentialCell([nn.Conv2d(3, 6, 3, group=3), nn.BatchNorm2d(6), nn.ReLU()])

    def construct(self, x: Tensor) -> Tensor:
        return self.pair(self.second(self.conv(self.first(self.conv(x)))))


def spread(net: Any) -> Any:
    """Batch norms that do something."""
    rng = np.random.default_rng(3)
    for parameter in net.get_parameters():
        if parameter.name.endswith(("gamma", "beta", "moving_mean", "moving_variance")):
            values = rng.uniform(0.5, 1.5, parameter.shape)
            parameter.set_data(Tensor(values.astype(np.float32)))
    return net.set_train(False)


def norms_in(net: Any) -> int:
    return sum(isinstance(cell, nn.BatchNorm2d) for _, cell in net.cells_and_names())


@pytest.mark.slow
def test_folding_finds_every_pair_of_a_residual_network(load: Callable[..., Any]) -> None:
    net = load("resnet18")
    before = net(Tensor(PICTURE)).asnumpy()
    twin = copy_network(net)
    folded, _ = fold_batch_norms(twin, (PICTURE,))
    assert (folded.pairs, norms_in(twin), norms_in(net)) == (20, 0, 20)
    assert 0 < folded.difference < 1e-5
    np.testing.assert_allclose(twin(Tensor(PICTURE)).asnumpy(), before, rtol=1e-4, atol=1e-5)


def test_the_network_itself_is_left_alone_by_folding_its_copy(load: Callable[..., Any]) -> None:
    net = load("mobilenet_v2_035_128").set_train(True)
    names = [name for name, _ in net.cells_and_names()]
    values = {p.name: p.asnumpy().copy() for p in net.get_parameters()}
    prepare_copy(copy_network(net), (PICTURE,), fold=True)
    assert net.training
    assert [name for name, _ in net.cells_and_names()] == names
    assert [p.name for p in net.get_parameters()] == list(values)
    for parameter in net.get_parameters():
        np.testing.assert_array_equal(parameter.asnumpy(), values[parameter.name])


def test_a_convolution_that_is_also_used_beside_its_batch_norm_is_not_folded() -> None:
    """And all the others are, with which it is tried."""
    pairs = [nn.SequentialCell([nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)]) for _ in range(3)]
    net = spread(nn.SequentialCell([Branching(), *pairs[:2], Branching(4), pairs[2]]))
    before = net(Tensor(PICTURE)).asnumpy()
    twin = copy_network(net)
    folded, _ = fold_batch_norms(twin, (PICTURE,))
    assert folded.pairs == 3
    assert norms_in(twin) == 2
    np.testing.assert_allclose(twin(Tensor(PICTURE)).asnumpy(), before, rtol=1e-4, atol=1e-5)


def test_a_convolution_with_two_batch_norms_is_not_folded_and_a_grouped_one_is() -> None:
    prepared = prepare_copy(spread(Shared()), (PICTURE,), fold=True)
    assert prepared.folded is not None
    assert prepared.folded.pairs == 1
    assert norms_in(prepared.net) == 2


def test_a_network_that_gives_no_numbers_is_refused_before_any_pair_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net = spread(nn.SequentialCell([nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)]))
    net[1].gamma.set_data(Tensor(np.full(4, np.nan, np.float32)))
    monkeypatch.setattr(folding, "_run_apart", lambda *_: pytest.fail("a pair was tried"))
    with pytest.raises(ExportError, match="gives infinite numbers or none"):
        fold_batch_norms(net, (PICTURE,))
    assert norms_in(net) == 1


def test_folding_works_when_the_process_is_in_graph_mode_and_leaves_it_there() -> None:
    ms.set_context(mode=ms.GRAPH_MODE)
    try:
        prepared = prepare_copy(spread(Shared()), (PICTURE,), fold=True)
        assert ms.get_context("mode") == ms.GRAPH_MODE
    finally:
        ms.set_context(mode=ms.PYNATIVE_MODE)
    assert prepared.folded is not None
    assert prepared.folded.pairs == 1


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        ([1.0, -4.0], [1.0, -4.0], 0.0),
        ([1.0, -4.0], [2.0, -4.0], 0.25),
        ([0.0, 0.0], [0.0, 1e-9], 1e-9),
        ([1.0, np.nan], [1.0, np.nan], np.inf),
        ([np.inf, 0.0], [np.inf, 0.0], np.inf),
        ([1.0, 2.0], [1.0], np.inf),
        ([], [], 0.0),
    ],
)
def test_differences_are_relative_to_the_largest_value_and_infinite_where_there_is_none(
    expected: list[float], found: list[float], difference: float
) -> None:
    arrays = (np.array(values, np.float32) for values in (expected, found))
    assert relative_difference(*arrays) == pytest.approx(difference)


def test_a_graph_read_from_a_mindir_is_no_network_to_copy(tmp_path: Any) -> None:
    net = nn.SequentialCell([nn.ReLU()])
    ms.export(net, Tensor(PICTURE), file_name=str(tmp_path / "relu"), file_format="MINDIR")
    graph = nn.GraphCell(ms.load(str(tmp_path / "relu.mindir")))
    with pytest.raises(ExportError, match="already"):
        copy_network(graph)
