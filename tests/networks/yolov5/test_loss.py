"""The compiled loss is the plain one, in value and in slope."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from zoohub.errors import DataError
from zoohub.networks.family import LossRequest
from zoohub.networks.layers.anchor_loss import AnchorLoss, AnchorWeights
from zoohub.networks.layers.anchor_training import head_of, start_head
from zoohub.networks.lenet.network import lenet
from zoohub.networks.yolov5.network import yolov5
from zoohub.tasks.detection.rows import padded_targets
from zoohub.tasks.detection.task import TASK

_spec = importlib.util.spec_from_file_location(
    "plain_loss", Path(__file__).with_name("plain_loss.py")
)
assert _spec is not None
assert _spec.loader is not None
plain = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(plain)

SIZE, STRIDES, CLASSES = 64, [8, 16, 32], 3
ANCHORS = np.array(
    [
        [[1.25, 1.625], [2.0, 3.75], [4.125, 2.875]],
        [[1.875, 3.8125], [3.875, 2.8125], [3.6875, 7.4375]],
        [[3.625, 2.8125], [4.875, 6.1875], [11.65625, 10.1875]],
    ]
)
# Two boxes in one cell, boxes at the edges, one on a cell's border, a picture without any.
BOXES = [
    [
        (0, 20.3, 22.1, 14.0, 20.0),
        (2, 21.9, 20.2, 18.0, 16.0),
        (1, 1.5, 62.2, 10.0, 9.0),
        (1, 44.0, 40.0, 30.0, 42.0),
    ],
    [],
    [(2, 62.9, 1.0, 8.0, 12.0)],
]


def _case() -> tuple[list[Any], Any]:
    random = np.random.default_rng(3)
    maps = [
        random.normal(0, 1.5, (len(BOXES), 3, SIZE // s, SIZE // s, 5 + CLASSES)) for s in STRIDES
    ]
    rows = [
        np.array(
            [(c, x - w / 2, y - h / 2, x + w / 2, y + h / 2) for c, x, y, w, h in found], np.float32
        ).reshape(-1, 5)
        for found in BOXES
    ]
    return maps, np.stack([padded_targets(boxes, 6) for boxes in rows])


def _flat(maps: list[Any]) -> Tensor:
    return Tensor(
        np.concatenate([m.reshape(len(BOXES), -1, 5 + CLASSES) for m in maps], 1).astype(np.float32)
    )


@pytest.mark.slow
@pytest.mark.parametrize("mode", [ms.PYNATIVE_MODE, ms.GRAPH_MODE])
def test_value_and_gradient_are_those_of_the_plain_loops(mode: int) -> None:
    maps, targets = _case()
    ms.set_context(mode=mode)
    loss = AnchorLoss(ANCHORS, STRIDES, (SIZE, SIZE), AnchorWeights())
    value, slope = ms.value_and_grad(loss, 0)(_flat(maps), Tensor(targets))
    expected, frozen = plain.plain_loss(maps, BOXES, ANCHORS, STRIDES)
    assert float(value.asnumpy()) == pytest.approx(expected, rel=1e-5)

    slopes = slope.asnumpy()
    strongest = np.argsort(-np.abs(slopes).ravel())[:6]
    some = np.random.default_rng(0).integers(slopes.size, size=6)
    flat = np.concatenate([m.reshape(len(BOXES), -1, 5 + CLASSES) for m in maps], 1)
    for place in (*strongest, *some):
        values = []
        for way in (1e-5, -1e-5):
            moved = flat.copy()
            moved.ravel()[place] += way
            parts = np.split(moved, np.cumsum([m[0, ..., 0].size for m in maps])[:-1], axis=1)
            again = [part.reshape(m.shape) for part, m in zip(parts, maps, strict=True)]
            values.append(plain.plain_loss(again, BOXES, ANCHORS, STRIDES, frozen=frozen)[0])
        slope_there = (values[0] - values[1]) / 2e-5
        assert slopes.ravel()[place] == pytest.approx(slope_there, rel=2e-3, abs=1e-6)


@pytest.mark.slow
def test_a_batch_in_parts_has_the_loss_of_the_whole() -> None:
    maps, targets = _case()
    ms.set_context(mode=ms.PYNATIVE_MODE)
    loss = AnchorLoss(ANCHORS, STRIDES, (SIZE, SIZE), AnchorWeights())
    flat = _flat(maps).asnumpy()
    whole = float(loss(Tensor(flat), Tensor(targets)).asnumpy())
    # One picture at a time; the second has no box.
    parts = [
        float(loss(Tensor(flat[i : i + 1]), Tensor(np.roll(targets, -i, axis=0))).asnumpy())
        for i in range(len(flat))
    ]
    assert np.mean(parts) == pytest.approx(whole, rel=1e-5)


@pytest.mark.slow
def test_pictures_without_boxes_teach_that_there_is_nothing() -> None:
    maps, targets = _case()
    targets[:, :, 0] = -1
    loss = AnchorLoss(ANCHORS, STRIDES, (SIZE, SIZE), AnchorWeights())
    expected, _ = plain.plain_loss(maps, [[], [], []], ANCHORS, STRIDES)
    assert float(loss(_flat(maps), Tensor(targets)).asnumpy()) == pytest.approx(expected, rel=1e-5)


def test_a_loss_counts_for_the_same_at_every_size_and_number_of_classes() -> None:
    usual = AnchorWeights()
    assert usual.scaled((640, 640), classes=80, levels=3) == usual
    small = usual.scaled((128, 160), classes=10, levels=3)
    assert small.box == usual.box
    # Ten of eighty classes; a twentieth of the cells that can be empty.
    assert small.classes == pytest.approx(usual.classes / 8)
    assert small.objectness == pytest.approx(usual.objectness / 20)
    assert usual.scaled((640, 640), classes=80, levels=4).box == pytest.approx(0.75 * usual.box)


def test_a_fresh_head_expects_few_boxes_and_equal_classes() -> None:
    net = yolov5("n", num_classes=CLASSES, width=0.125)
    start_head(net, CLASSES, (64, 64))
    bias = head_of(net).m[0].bias.asnumpy().reshape(3, -1)
    assert (1 / (1 + np.exp(-bias[:, 4])) < 0.02).all()
    assert bias[:, 5:] == pytest.approx(np.log(0.6 / (CLASSES - 0.99)))


def test_a_network_without_anchors_cannot_be_trained_as_a_detector() -> None:
    with pytest.raises(DataError, match=r"LeNet5? cannot be trained: its family has no loss"):
        TASK.loss(lenet(), LossRequest(3, (64, 64)))
