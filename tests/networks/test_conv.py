"""zoohub's convolution beside MindSpore's own, and operators that cells share."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import new_conv2d
from zoohub.networks.layers.operators import shared

KINDS: list[dict[str, Any]] = [
    {"kernel_size": 3, "stride": 2, "pad_mode": "same"},
    {"kernel_size": (1, 5), "pad_mode": "pad", "padding": (0, 0, 2, 2), "has_bias": True},
    {"kernel_size": 3, "stride": (2, 1), "pad_mode": "pad", "padding": 1, "group": 2},
    {"kernel_size": 3, "pad_mode": "valid", "dilation": 2, "has_bias": True, "group": 4},
]


@pytest.fixture(params=[ms.PYNATIVE_MODE, ms.GRAPH_MODE], ids=["pynative", "graph"])
def _mode(request: pytest.FixtureRequest) -> Iterator[None]:
    before = ms.get_context("mode")
    ms.set_context(mode=request.param)
    yield
    ms.set_context(mode=before)


def pair(kind: dict[str, Any]) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Ours and MindSpore's with the same seed."""
    nets = []
    for make in (new_conv2d, nn.Conv2d):
        ms.set_seed(3)
        nets.append(make(4, 8, **kind, weight_init="he_uniform"))
    return nets[0], nets[1]


def picture(*shape: int) -> Tensor:
    rng = np.random.default_rng(sum(shape))
    return Tensor(rng.normal(size=shape).astype(np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["pad_mode"])
@pytest.mark.usefixtures("_mode")
def test_it_starts_and_computes_and_learns_as_mindspores_does(kind: dict[str, Any]) -> None:
    results = []
    for net in pair(kind):
        net.set_train()
        gradients = ops.GradOperation(get_all=True, get_by_list=True)
        inputs, weights = gradients(net, net.trainable_params())(picture(2, 4, 9, 8))
        start = {p.name: p.asnumpy() for p in net.get_parameters()}
        output = net(picture(2, 4, 9, 8))
        results.append([*start.values(), output.asnumpy(), *(t.asnumpy() for t in weights)])
        results[-1].append(inputs[0].asnumpy())
        assert list(start) == ["weight", "bias"][: 1 + net.has_bias]
    for first, second in zip(*results, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["pad_mode"])
def test_it_reads_like_mindspores_and_has_its_attributes(kind: dict[str, Any]) -> None:
    own, theirs = pair(kind)
    assert type(own) is type(theirs)
    assert vars(own).keys() == vars(theirs).keys() - {"_cell_init_args"}
    names = ("in_channels", "out_channels", "kernel_size", "stride", "pad_mode", "padding")
    for name in (*names, "dilation", "_dilation", "group", "has_bias", "data_format"):
        assert getattr(own, name) == getattr(theirs, name), name
    assert own.extend_repr().split(", bias_init")[0] == theirs.extend_repr().split(", bias_init")[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 3, "group": 3}, "groups"),
        ({"kernel_size": 3, "group": 0}, "groups"),
        ({"kernel_size": 0}, "kernel_size"),
        ({"kernel_size": 3, "stride": 0}, "stride"),
        ({"kernel_size": 3, "pad_mode": "pad", "padding": -1}, "pad"),
        ({"kernel_size": 3, "pad_mode": "mirror"}, "pad_mode"),
    ],
)
def test_arguments_that_make_no_convolution_are_refused(
    arguments: dict[str, Any], message: str
) -> None:
    for _ in range(2):  # a refusal is not remembered as an operator
        with pytest.raises(ValueError, match=message):
            new_conv2d(4, 8, **arguments)


def test_equal_arguments_share_an_operator_and_others_do_not() -> None:
    one, same, other = new_conv2d(4, 8, 3), new_conv2d(2, 8, 3), new_conv2d(4, 8, 3, stride=2)
    assert one.conv2d is same.conv2d is not other.conv2d
    assert shared(ops.BatchNorm, epsilon=1e-5) is not shared(ops.BatchNorm, epsilon=1e-3)


@pytest.mark.usefixtures("_mode")
def test_a_shared_operator_pads_each_size_by_itself() -> None:
    """ "same" puts another padding at each size; one operator serves all of them in one network."""
    ms.set_seed(0)
    cells = [new_conv2d(2, 2, 3, 2) for _ in range(3)]
    net = nn.SequentialCell(cells)
    for shape in ((1, 2, 21, 10), (2, 2, 16, 33)):
        x = picture(*shape)
        expected = x
        for cell in cells:
            own = ops.Conv2D(2, 3, pad_mode="same", stride=2)
            expected = own(expected, cell.weight)
        np.testing.assert_allclose(net(x).asnumpy(), expected.asnumpy(), rtol=1e-5, atol=1e-6)


def test_a_copy_keeps_to_itself() -> None:
    net = new_conv2d(4, 8, 3, has_bias=True)
    twin = copy.deepcopy(net)
    twin.weight.set_data(ops.zeros_like(twin.weight))
    assert np.abs(net.weight.asnumpy()).max() > 0
    assert np.abs(twin(picture(1, 4, 5, 5)).asnumpy()).max() > 0  # the bias


@pytest.mark.parametrize("level", ["O2", "O3"])
def test_mixed_precision_treats_it_as_mindspores(level: str) -> None:
    results = []
    for net in pair(KINDS[1]):
        mixed = ms.amp.auto_mixed_precision(nn.SequentialCell([net, nn.ReLU()]), level, ms.float16)
        results.append(mixed(picture(1, 4, 6, 6)))
    assert results[0].dtype == results[1].dtype
    np.testing.assert_allclose(results[0].asnumpy(), results[1].asnumpy(), rtol=1e-2, atol=1e-2)
