"""zoohub's batch norm beside MindSpore's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from zoohub.networks.layers.norm import BatchNorm2d


@pytest.fixture(params=[ms.PYNATIVE_MODE, ms.GRAPH_MODE], ids=["pynative", "graph"])
def _mode(request: pytest.FixtureRequest) -> Iterator[None]:
    before = ms.get_context("mode")
    ms.set_context(mode=request.param)
    yield
    ms.set_context(mode=before)


def pair() -> tuple[nn.Cell, nn.Cell]:
    return BatchNorm2d(4, eps=1e-3, momentum=0.97), nn.BatchNorm2d(4, eps=1e-3, momentum=0.97)


def state(net: nn.Cell) -> dict[str, tuple[Any, bool]]:
    return {p.name: (p.asnumpy().copy(), p.requires_grad) for p in net.get_parameters()}


@pytest.mark.usefixtures("_mode")
def test_it_normalises_and_keeps_statistics_as_mindspores_does() -> None:
    own, theirs = pair()
    rng = np.random.default_rng(0)
    for training in (True, True, False, True, False):
        x = Tensor(rng.normal(2.0, 3.0, (5, 4, 6, 7)).astype(np.float32))
        for net in (own, theirs):
            net.set_train(training)
        np.testing.assert_array_equal(own(x).asnumpy(), theirs(x).asnumpy())
        first, second = state(own), state(theirs)
        assert list(first) == list(second) == ["mean", "variance", "gamma", "beta"]
        for name, (values, learns) in first.items():
            np.testing.assert_array_equal(values, second[name][0])
            assert learns == second[name][1] == (name in ("gamma", "beta"))
    assert np.abs(first["mean"][0]).max() > 0.1


def test_its_gradients_and_its_half_precision_are_mindspores() -> None:
    x = Tensor(np.random.default_rng(1).normal(size=(3, 4, 5, 5)).astype(np.float32))
    results = []
    for net in pair():
        net.set_train()
        weights = [net.gamma, net.beta]
        grad = ms.grad(lambda x, net=net: (net(x) ** 3).sum(), grad_position=0, weights=weights)
        inputs, (gamma, beta) = grad(x)
        mixed = ms.amp.auto_mixed_precision(net, "O2", ms.float16)
        mixed.set_train(False)
        half = mixed(x)
        assert net.gamma.dtype == ms.float32
        results.append([value.asnumpy() for value in (inputs, gamma, beta, half.float())])
    for first, second in zip(*results, strict=True):
        np.testing.assert_array_equal(first, second)


def test_it_reads_like_mindspores() -> None:
    own, theirs = pair()
    assert isinstance(own, nn.BatchNorm2d)
    assert str(own) == str(theirs)
