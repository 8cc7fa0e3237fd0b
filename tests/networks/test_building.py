"""What arguments change, how a network is built, and that it trains."""

from __future__ import annotations

import gc
from typing import Any

import mindspore
import numpy as np
import pytest
from mindspore import Tensor, nn, ops
from mindspore.nn.utils import no_init_parameters
from mindspore.ops.operations import other_ops
from weights_rule import fill_by_rule, nesting

from zoohub.errors import UsageError
from zoohub.manifest.entry import NetworkSpec
from zoohub.networks import loading
from zoohub.networks.families import find_family
from zoohub.networks.loading import create_network


def build(name: str, **arguments: Any) -> nn.Cell:
    return find_family(name).load()(**arguments)


def shapes_of(name: str, **arguments: Any) -> dict[str, tuple[int, ...]]:
    with no_init_parameters():
        net = build(name, **arguments)
    return {p.name: tuple(p.shape) for p in net.get_parameters()}


def norms_of(name: str, **arguments: Any) -> dict[str, float]:
    """The epsilon of each batch norm by its name."""
    with no_init_parameters():
        cells = build(name, **arguments).cells_and_names()
    return {name: cell.eps for name, cell in cells if isinstance(cell, nn.BatchNorm2d)}


@pytest.mark.parametrize(
    ("name", "arguments", "epsilons"),
    [
        ("resnet", {"depth": 18}, {1e-5}),
        ("resnet", {"depth": 50, "bn_eps": 1e-4}, {1e-4}),
        ("resnet", {"depth": 18, "bn_eps": 1e-4, "outer_bn_eps": 1e-5}, {1e-4, 1e-5}),
        ("mobilenet_v2", {"width": 0.35}, {1e-5}),
        ("yolov5", {"size": "n"}, {1e-3}),
        ("yolov5_focus", {"size": "s"}, {1e-3}),
    ],
)
def test_batch_norms_have_their_publishers_epsilon(
    name: str, arguments: dict[str, Any], epsilons: set[float]
) -> None:
    assert set(norms_of(name, **arguments).values()) == epsilons


def test_the_outer_epsilon_is_that_of_the_stem_and_the_shortcuts() -> None:
    epsilons = norms_of("resnet", depth=18, bn_eps=1e-4, outer_bn_eps=1e-5)
    outer = {name for name, epsilon in epsilons.items() if epsilon == 1e-5}
    assert outer == {"bn1", *(f"layer{stage}.0.down_sample.1" for stage in (2, 3, 4))}


@pytest.mark.parametrize(
    ("name", "arguments", "head"),
    [
        ("lenet", {}, "fc3.weight"),
        ("resnet", {"depth": 18}, "classifier.weight"),
        ("mobilenet_v2", {"width": 0.35}, "classifier.1.weight"),
        ("yolov5", {"size": "n"}, "model.model.24.m.0.weight"),
        ("yolov5", {"size": "n6"}, "model.model.33.m.3.weight"),
        ("yolov5_focus", {"size": "s"}, "feature_map.back_block1.conv.weight"),
    ],
)
def test_the_number_of_classes_changes_the_head_alone(
    name: str, arguments: dict[str, Any], head: str
) -> None:
    shapes = shapes_of(name, **arguments)
    other = shapes_of(name, num_classes=7, **arguments)
    prefix = head.split(".m.")[0] if ".m." in head else head.rpartition(".")[0]
    changed = {key for key in shapes if shapes[key] != other[key]}
    assert head in changed
    assert all(key.startswith((prefix, "feature_map.back_block")) for key in changed)
    assert other[head][0] == (7 if name[:4] != "yolo" else 3 * 12)


@pytest.mark.parametrize(
    ("name", "arguments", "stem"),
    [
        ("lenet", {}, "conv1.weight"),
        ("resnet", {"depth": 18}, "conv1.weight"),
        ("mobilenet_v2", {"width": 0.35}, "features.0.weight"),
        ("yolov5", {"size": "n"}, "model.model.0.conv.weight"),
    ],
)
def test_the_number_of_input_channels_changes_the_first_convolution_alone(
    name: str, arguments: dict[str, Any], stem: str
) -> None:
    shapes = shapes_of(name, **arguments)
    other = shapes_of(name, in_channels=5, **arguments)
    assert {key for key in shapes if shapes[key] != other[key]} == {stem}
    assert other[stem][1] == 5


@pytest.mark.parametrize(
    ("name", "arguments", "channels"),
    [
        ("resnet", {"depth": 18}, (64, 64, 128, 256, 512)),
        ("mobilenet_v2", {"width": 1.0}, (16, 24, 32, 96, 320)),
    ],
)
def test_features_only_gives_maps_at_each_scale_and_has_no_head(
    name: str, arguments: dict[str, Any], channels: tuple[int, ...]
) -> None:
    x = Tensor(np.zeros((1, 3, 64, 64), np.float32))
    net = build(name, features_only=True, **arguments).set_train(False)
    assert not any(p.name.startswith("classifier") for p in net.get_parameters())
    expected = [[1, c, 32 >> i, 32 >> i] for i, c in enumerate(channels)]
    assert nesting(net(x)) == expected
    some = build(name, features_only=True, out_indices=[1, 3], **arguments).set_train(False)
    assert nesting(some(x)) == [expected[1], expected[3]]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("resnet", {"depth": 19}, "19"),
        ("resnet", {"features_only": True, "out_indices": (5,)}, "0 to 4"),
        ("resnet", {"features_only": True, "out_indices": (2, 1)}, "ascending"),
        ("resnet", {"features_only": True, "out_indices": ()}, "at least one"),
        ("resnet", {"conv_padding": "valid"}, "conv_padding"),
        ("resnet", {"pool_padding": "valid"}, "pool_padding"),
        ("mobilenet_v2", {"features_only": True, "out_indices": (-1,)}, "0 to 4"),
        ("yolov5", {"size": "h"}, "n, s, m, l, x"),
        ("yolov5", {"width": 0.0}, "above 0"),
        ("yolov5_focus", {"size": "n"}, "s, m, l, x"),
    ],
)
def test_an_argument_that_means_nothing_is_refused(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build(name, **arguments)


def test_a_detector_gives_raw_maps_in_training_and_boxes_in_evaluation() -> None:
    net = build("yolov5", size="n", num_classes=2)
    x = Tensor(np.zeros((1, 3, 64, 96), np.float32))
    maps = [[1, 3, 8, 12, 7], [1, 3, 4, 6, 7], [1, 3, 2, 3, 7]]
    net.set_train(True)
    assert nesting(net(x)) == maps
    net.set_train(False)
    assert nesting(net(x)) == [[1, 3 * (96 + 24 + 6), 7], maps]
    undecoded = build("yolov5", size="n", num_classes=2, decode=False).set_train(False)
    assert nesting(undecoded(x)) == maps


def test_a_width_and_depth_of_its_own_scale_a_detector() -> None:
    assert shapes_of("yolov5", size="s", width=0.25) == shapes_of("yolov5", size="n")
    assert shapes_of("yolov5", size="n", depth=0.67, width=0.75) == shapes_of("yolov5", size="m")


def test_boxes_of_an_untrained_cell_lie_in_that_cell_with_its_anchors_size() -> None:
    net = build("yolov5", size="n", num_classes=1).set_train(False)
    head = net.model.model[24]
    raw = Tensor(np.zeros((1, 3, 2, 3, 6), np.float32))  # the sigmoid of 0 is one half
    boxes = head.decode(raw, 2).asnumpy().reshape(3, 2, 3, 6)
    np.testing.assert_array_equal(boxes[0, :, :, 0], [[16, 48, 80]] * 2)
    np.testing.assert_array_equal(boxes[0, :, :, 1], [[16] * 3, [48] * 3])
    np.testing.assert_array_equal(boxes[:, 0, 0, 2:4], [(116, 90), (156, 198), (373, 326)])
    np.testing.assert_array_equal(boxes[..., 4:], 0.5)


def test_a_detectors_anchors_are_kept_in_pixels_and_in_cells() -> None:
    head = build("yolov5", size="n6").model.model[33]
    pixels = head.anchor_grid.asnumpy().reshape(4, 3, 2)
    np.testing.assert_array_equal(head.stride.asnumpy(), [8, 16, 32, 64])
    np.testing.assert_allclose(head.anchors.asnumpy() * [[[8]], [[16]], [[32]], [[64]]], pixels)


def test_fractions_of_a_picture_that_is_not_square_go_by_its_own_width_and_height() -> None:
    net = build("yolov5_focus", size="s", num_classes=1).set_train(False)
    decoder = net.boxes[0]
    boxes = decoder(Tensor(np.zeros((1, 2, 4, 3, 6), np.float32))).asnumpy()[0]
    np.testing.assert_allclose(boxes[0, :, 0, 0], (np.arange(4) + 0.5) / 4, rtol=1e-6)
    np.testing.assert_allclose(boxes[:, 0, 0, 1], (np.arange(2) + 0.5) / 2, rtol=1e-6)
    np.testing.assert_allclose(boxes[0, 0, 0, 2:4], [142 / 128, 110 / 64], rtol=1e-6)


TRAINED = [
    pytest.param("lenet", {}, (4, 1, 32, 32), id="lenet"),
    pytest.param("resnet", {"depth": 18}, (4, 3, 64, 64), id="resnet", marks=pytest.mark.slow),
    pytest.param(
        "mobilenet_v2",
        {"width": 0.35, "dropout": 0.0},  # which would make the loss differ from step to step
        (4, 3, 64, 64),
        id="mobilenet_v2",
        marks=pytest.mark.slow,
    ),
    pytest.param("yolov5", {"size": "n"}, (2, 3, 64, 64), id="yolov5", marks=pytest.mark.slow),
    pytest.param(
        "yolov5_focus", {"size": "s"}, (2, 64, 64, 3), id="yolov5_focus", marks=pytest.mark.slow
    ),
]


@pytest.mark.parametrize(("name", "arguments", "shape"), TRAINED)
def test_a_network_learns_in_graph_mode(
    name: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    net = build(name, **arguments)
    fill_by_rule(net)
    net.set_train(True)
    # So small a step that the loss must fall as the gradient says.
    optimizer = nn.SGD(net.trainable_params(), 1e-5)

    def loss_of(x: Tensor) -> Tensor:
        outputs = net(x)
        loss = 0.0
        for output in outputs if isinstance(outputs, tuple) else (outputs,):
            loss = loss + ops.mean(ops.square(output - 1.0))
        return loss

    gradients_of = mindspore.value_and_grad(loss_of, None, optimizer.parameters)

    @mindspore.jit
    def step(x: Tensor) -> Tensor:
        loss, gradients = gradients_of(x)
        optimizer(gradients)
        return loss

    x = Tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    losses = [float(step(x).asnumpy()) for _ in range(5)]
    assert losses[-1] < losses[0]


def test_what_a_program_has_frozen_for_the_collector_stays_frozen() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        assert frozen > 0
        create_network(NetworkSpec("lenet"), None)
        assert gc.get_freeze_count() >= frozen - 10  # what died since
    finally:
        gc.unfreeze()
    create_network(NetworkSpec("lenet"), None)
    assert gc.get_freeze_count() == 0
    assert gc.isenabled()


def test_parameters_that_a_file_will_fill_share_one_load_operator() -> None:
    makes = other_ops.Load
    net = loading.build(NetworkSpec("lenet"), initialise=False)
    assert len({id(parameter.load) for parameter in net.get_parameters()}) == 1
    with pytest.raises(UsageError):  # and MindSpore has its own back, whatever happens
        loading.build(NetworkSpec("resnet", {"depth": 7}), initialise=False)
    assert other_ops.Load is makes
    assert isinstance(next(net.get_parameters()).load, makes)


def test_collection_of_garbage_is_put_off_while_a_network_is_built_and_no_longer() -> None:
    started: list[int] = []
    find_family("resnet").load()  # importing it is not building
    gc.collect()
    gc.callbacks.append(lambda phase, info: started.append(info["generation"]))
    try:
        loading.build(NetworkSpec("resnet", {"depth": 18}), initialise=False)
        assert not started
    finally:
        gc.callbacks.pop()
    assert gc.isenabled()
    with pytest.raises(UsageError):
        loading.build(NetworkSpec("resnet", {"depth": 7}), initialise=False)
    assert gc.isenabled()
    gc.disable()
    try:
        loading.build(NetworkSpec("lenet"), initialise=False)
        assert not gc.isenabled()  # as the program wants it
    finally:
        gc.enable()
