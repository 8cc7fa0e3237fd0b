"""RetinaFace's landmarks in pixels, beside MindFace's decoding of the same offsets."""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Tensor

from zoohub.networks.layers.default_boxes import OffsetBoxes, OffsetPoints
from zoohub.networks.retinaface.network import _LEVELS

# What MindFace's `decode_landm` and `decode_bbox` give of the offsets drawn below, as parts of the
# input's width and height (the oracle's postprocess/retinaface.json; four digits).
POINTS = [
    [0.036, 0.0199, 0.0332, 0.0423, 0.019, 0.0593, 0.0337, 0.0383, 0.0291, 0.0442],
    [0.0316, 0.0154, 0.0267, 0.0499, 0.0395, 0.0569, 0.0185, 0.0318, 0.0365, 0.0323],
    [0.0954, 0.0351, 0.0978, 0.0426, 0.0978, 0.0424, 0.0892, 0.032, 0.0944, 0.0371],
]
CORNERS = [
    [-0.0347, -0.0563, 0.0872, 0.1175],
    [-0.0728, -0.1106, 0.1637, 0.1976],
    [0.0342, -0.0184, 0.1627, 0.129],
]


def test_points_and_boxes_are_mindfaces() -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    height, width = 96, 128
    maps = tuple(
        Tensor(np.zeros((1, 1, height // level.step, width // level.step), np.float32))
        for level in _LEVELS
    )
    count = sum(2 * m.shape[2] * m.shape[3] for m in maps)
    random = np.random.default_rng(5)
    offsets = (random.standard_normal((1, count, 4)) * 0.5).astype(np.float32)
    landmarks = (random.standard_normal((1, count, 10)) * 0.5).astype(np.float32)
    points = OffsetPoints(_LEVELS, 5)(Tensor(landmarks), maps).asnumpy()
    assert points.shape == (1, count, 10)
    parts = points[0, :3] / np.tile([width, height], 5)
    assert np.abs(parts - POINTS).max() < 6e-5
    boxes = OffsetBoxes(_LEVELS, x_first=True)(Tensor(offsets), maps).asnumpy()[0, :3]
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
    assert np.abs(corners / [width, height, width, height] - CORNERS).max() < 6e-5
