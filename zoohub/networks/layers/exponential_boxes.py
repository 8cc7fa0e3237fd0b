"""Boxes of YOLOv4 and those before it: exponential in size, wider than a cell in place."""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.anchor_head import cell_offsets
from zoohub.outputs.box_decoding import Level


class ExponentialBoxes(nn.Cell):
    """One level's raw map (B, H, W, A, 5 + classes) -> the same shape: boxes and scores.

    Centre, width and height are in pixels of the input, or `fractions` of its width and height;
    objectness and classes from 0 to 1.
    """

    def __init__(self, level: Level, fractions: bool = False) -> None:
        super().__init__()
        self.stride = float(level.stride)
        self.fractions = fractions
        self.xy_scale = level.xy_scale
        self.xy_shift = (level.xy_scale - 1) / 2
        # In cells of the map.
        self.anchors = Tensor(np.array(level.anchors, np.float32) / np.float32(level.stride))

    def construct(self, raw: Tensor) -> Tensor:
        _, height, width, _, _ = raw.shape
        scores = ops.sigmoid(raw)
        columns = cell_offsets(width, (1, 1, width, 1, 1))
        rows = cell_offsets(height, (1, height, 1, 1, 1))
        x = scores[..., 0:1] * self.xy_scale - self.xy_shift + columns
        y = scores[..., 1:2] * self.xy_scale - self.xy_shift + rows
        size = ops.exp(raw[..., 2:4]) * self.anchors
        if not self.fractions:
            box = ops.concat((x, y, size), -1) * self.stride
            return ops.concat((box, scores[..., 4:]), -1)
        wide, high = size[..., 0:1] / width, size[..., 1:2] / height
        return ops.concat((x / width, y / height, wide, high, scores[..., 4:]), -1)
