"""What the models repository's YOLOs are trained with, against the rule written out in loops."""

from __future__ import annotations

import itertools
import math
from typing import Any

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from zoohub.networks.families import find_family
from zoohub.networks.family import LossRequest

REDUCED: dict[str, dict[str, Any]] = {
    "yolov3_darknet53": {"base_channels": 2},
    "yolov3_resnet18": {"base_channels": 2},
    "yolov3_tiny": {"base_channels": 2},
    "yolov4_zoo": {"base_channels": 2},
}
SIZE = (64, 96)
CLASSES = 3
TARGETS = np.array(
    [
        [[0, 20, 20, 30, 24], [2, 80, 50, 20, 16], [1, 21, 19, 28, 26], [-1, 0, 0, 0, 0]],
        [[1, 48, 32, 90, 60], [-1, 0, 0, 0, 0], [-1, 0, 0, 0, 0], [-1, 0, 0, 0, 0]],
    ],
    np.float32,
)


def _network(name: str) -> Any:
    return find_family(name).load()(num_classes=CLASSES, **REDUCED[name])


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _bce(logit: float, truth: float) -> float:
    return max(logit, 0) - logit * truth + math.log1p(math.exp(-abs(logit)))


def _corners(box: Any) -> tuple[float, float, float, float]:
    x, y, w, h = map(float, box)
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def _iou(one: Any, two: Any, general: bool = False) -> float:
    a, b = _corners(one), _corners(two)
    inner = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(
        0.0, min(a[3], b[3]) - max(a[1], b[1])
    )
    union = one[2] * one[3] + two[2] * two[3] - inner
    if not general:
        return float(inner / union)
    hull = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
    return float(inner / union - (hull - union) / hull)


def _written_out(levels: Any, maps: list[np.ndarray]) -> float:
    """The loss of `maps`, each (B, h, w, 3, 5 + classes), by the rule's own words."""
    total = 0.0
    anchors = [(i, k) for i, level in enumerate(levels) for k in range(len(level.anchors))]
    for picture, targets in enumerate(TARGETS):
        real = [target for target in targets if target[0] >= 0]
        answers = []
        for target in real:
            shapes = [_iou((0, 0, *target[3:]), (0, 0, *levels[i].anchors[k])) for i, k in anchors]
            for (i, k), overlap in zip(anchors, shapes, strict=True):
                if overlap > 0.213 or overlap == max(shapes):
                    stride = levels[i].stride
                    row, column = int(target[2] // stride), int(target[1] // stride)
                    answers.append((target, (i, row, column, k)))
        present = {place for _, place in answers}
        for i, level in enumerate(levels):
            high, wide = maps[i].shape[1:3]
            for row, column, k in itertools.product(range(high), range(wide), range(3)):
                raw = maps[i][picture, row, column, k]
                shift = (level.xy_scale - 1) / 2
                box = (
                    (_sigmoid(raw[0]) * level.xy_scale - shift + column) * level.stride,
                    (_sigmoid(raw[1]) * level.xy_scale - shift + row) * level.stride,
                    math.exp(raw[2]) * level.anchors[k][0],
                    math.exp(raw[3]) * level.anchors[k][1],
                )
                here = (i, row, column, k)
                if here in present:
                    total += _bce(raw[4], 1.0)
                elif max(_iou(box, target[1:]) for target in real) < 0.7:
                    total += _bce(raw[4], 0.0)
                for target, place in answers:
                    if place == here:
                        total += 10 * 2 * (1 - _iou(box, target[1:], general=True))
                        total += sum(_bce(raw[5 + c], c == target[0]) for c in range(CLASSES))
    return total / len(TARGETS)


@pytest.mark.slow
@pytest.mark.parametrize("name", REDUCED)
def test_the_loss_is_what_its_rule_says(name: str) -> None:
    net, family = _network(name), find_family(name)
    assert family.loss is not None
    levels = net.box_decoding().levels
    random = np.random.default_rng(0)
    maps = [
        random.normal(0, 0.7, (2, SIZE[0] // lv.stride, SIZE[1] // lv.stride, 3, 5 + CLASSES))
        for lv in levels
    ]
    _, loss = family.find(family.loss)(net, LossRequest(CLASSES, SIZE))
    flat = np.concatenate([one.reshape(2, -1, 5 + CLASSES) for one in maps], 1).astype(np.float32)
    got = float(loss(Tensor(flat), Tensor(TARGETS)).asnumpy())
    assert got == pytest.approx(_written_out(levels, maps), rel=1e-4)


@pytest.mark.parametrize("name", REDUCED)
def test_each_output_is_of_its_own_level(name: str) -> None:
    net = _network(name)
    for level, conv in enumerate(net.feature_map.output_convs()):
        conv.weight.set_data(Tensor(np.zeros(conv.weight.shape, np.float32)))
        conv.bias.set_data(Tensor(np.full(conv.bias.shape, level, np.float32)))
    net.set_train(True)
    maps = net(Tensor(np.zeros((1, 3, *SIZE), np.float32), ms.float32))
    for level, (found, one) in enumerate(zip(maps, net.box_decoding().levels, strict=True)):
        assert found.shape[1:3] == (SIZE[0] // one.stride, SIZE[1] // one.stride)
        assert (found.asnumpy() == level).all()
