"""Depthwise convolutions learn the same by the quicker gradient as by MindSpore's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn

from zoohub.networks.layers.conv import conv2d
from zoohub.training.steps.depthwise import (
    DepthwiseConv2d,
    DepthwiseConvolutions,
    is_even_depthwise,
)


@pytest.fixture
def _graph() -> Iterator[None]:
    mode = ms.get_context("mode")
    ms.set_context(mode=ms.GRAPH_MODE)
    yield
    ms.set_context(mode=mode)


def results(net: nn.Cell, images: Tensor) -> list[Tensor]:
    """The sum of the outputs' cubes, and its gradients: for the images and for each weight."""
    net.set_train()

    def cubes(x: Tensor) -> Tensor:
        return (net(x) ** 3).sum()

    loss, (to_input, to_weights) = ms.value_and_grad(cubes, 0, net.trainable_params())(images)
    return [loss, to_input, *to_weights]


@pytest.mark.usefixtures("_graph")
def test_the_gradients_are_mindspores() -> None:
    images = Tensor(np.random.default_rng(0).normal(0, 1, (2, 6, 7, 9)).astype(np.float32))
    net = nn.SequentialCell(
        [
            conv2d(6, 6, 3, groups=6),
            conv2d(6, 6, 5, groups=6, padding="same", bias=True),
            nn.Conv2d(6, 6, (1, 3), pad_mode="pad", padding=(0, 0, 1, 1), group=6),
        ]
    )
    expected = results(net, images)
    changed = DepthwiseConvolutions(net)
    assert len(changed) == 3
    for own, quick in zip(expected, results(net, images), strict=True):
        scale = np.abs(own.asnumpy()).max()
        np.testing.assert_allclose(quick.asnumpy(), own.asnumpy(), rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.usefixtures("_graph")
def test_the_cells_get_their_class_back_and_keep_their_names() -> None:
    net = nn.SequentialCell([conv2d(4, 4, 3, groups=4), conv2d(4, 4, 3, groups=4)])
    names = [p.name for p in net.get_parameters()]
    changed = DepthwiseConvolutions(net)
    assert [type(cell) for cell in net] == [DepthwiseConv2d] * 2
    assert [p.name for p in net.get_parameters()] == names
    changed.restore()
    assert [type(cell) for cell in net] == [nn.Conv2d] * 2
    assert [name for name, _ in net.cells_and_names()] == ["", "0", "1"]


def test_without_a_graph_nothing_is_gained_and_nothing_changed() -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    assert len(DepthwiseConvolutions(nn.SequentialCell([conv2d(4, 4, 3, groups=4)]))) == 0


@pytest.mark.parametrize(
    ("channels", "kernel", "other"),
    [
        ((4, 4), 3, {"stride": 2, "groups": 4}),  # fewer places in the output
        ((4, 4), 3, {"padding": 0, "groups": 4}),
        ((4, 4), 3, {"padding": 2, "groups": 4}),  # more
        ((4, 4), 2, {"padding": "same", "groups": 4}),  # padded on one side only
        ((4, 8), 3, {"groups": 4}),  # two outputs of a channel
        ((4, 4), 3, {"groups": 2}),
        ((1, 1), 3, {}),
    ],
)
def test_what_is_no_even_depthwise_convolution(
    channels: tuple[int, int], kernel: int, other: dict[str, Any]
) -> None:
    assert not is_even_depthwise(conv2d(*channels, kernel, **other))
