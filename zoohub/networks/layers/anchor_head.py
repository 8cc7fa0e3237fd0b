"""The anchor-based detection head of YOLOv5."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.outputs.box_decoding import BoxDecoding, Level

Anchors = Sequence[Sequence[tuple[int, int]]]


def split_anchors(maps: Tensor, per_cell: int) -> Tensor:
    """(B, A·V, H, W) -> (B, A, H, W, V), the values of each of a cell's A anchors together.

    Split and stacked rather than reshaped, so that ONNX export needs no heights and widths.
    """
    parts = ops.split(maps, maps.shape[1] // per_cell, 1)
    # One by one: the exporter loses a tuple that goes whole from one operator to the next.
    anchors = tuple([parts[index] for index in range(per_cell)])
    return ops.transpose(ops.stack(anchors, 1), (0, 1, 3, 4, 2))


def cell_offsets(count: int, shape: tuple[int, ...]) -> Tensor:
    """0, 1, … count - 1 as float32 in `shape`."""
    return ops.reshape(ops.arange(count).astype(mstype.float32), shape)


class AnchorHead(nn.Cell):
    """One 1×1 convolution a level; in evaluation mode its maps are decoded to boxes.

    Takes a tuple of feature maps (B, C_i, H_i, W_i). Raw maps are (B, A, H_i, W_i, 5 + classes),
    A anchors a cell: x, y, width, height, objectness, classes, all before the sigmoid. In training
    mode returns the tuple of raw maps. In evaluation mode returns the decoded prediction and that
    tuple; decoded is (B, sum of A·H_i·W_i, 5 + classes): the box's centre, width and height in
    pixels of the input, objectness and class scores from 0 to 1.

    With `decode` False it always returns the raw maps alone.

    `anchors` are (width, height) in pixels, the same number for every level.
    """

    def __init__(
        self,
        channels: Sequence[int],
        num_classes: int,
        anchors: Anchors,
        strides: Sequence[int],
        decode: bool = True,
    ) -> None:
        super().__init__()
        pixels = np.array(anchors, np.float32)  # levels, A, 2
        levels, per_cell, _ = pixels.shape
        steps = np.array(strides, np.int32)
        self.strides = tuple(float(stride) for stride in strides)
        self.per_cell = per_cell
        self.decodes = decode
        # Checkpoints hold these three; `anchors` is in units of the level's cells.
        self.stride = Parameter(Tensor(steps), requires_grad=False)
        self.anchors = Parameter(
            Tensor((pixels / steps[:, None, None]).astype(np.float32)), requires_grad=False
        )
        self.anchor_grid = Parameter(
            Tensor(pixels.reshape(levels, 1, per_cell, 1, 1, 2)), requires_grad=False
        )
        self.m = nn.CellList(
            [
                nn.Conv2d(c, per_cell * (num_classes + 5), 1, pad_mode="valid", has_bias=True)
                for c in channels
            ]
        )

    def construct(self, features: tuple[Tensor, ...]) -> tuple[object, ...]:
        raw: tuple[Tensor, ...] = ()
        decoded: tuple[Tensor, ...] = ()
        for level, conv in enumerate(self.m):
            out = split_anchors(self.predict(features[level], conv, level), self.per_cell)
            raw = (*raw, out)
            if self.decodes and not self.training:
                decoded = (*decoded, self.decode(out, level))
        return (ops.concat(decoded, 1), raw) if self.decodes and not self.training else raw

    def predict(self, features: Tensor, conv: nn.Cell, level: int) -> Tensor:
        """One level's map before its anchors are parted: (B, A·(5 + classes), H, W)."""
        return conv(features)

    def box_decoding(self) -> BoxDecoding:
        """How the raw maps become boxes, with the anchors that the checkpoint brought."""
        anchors = self.anchor_grid.asnumpy().reshape(len(self.strides), self.per_cell, 2)
        levels = tuple(
            Level(stride, tuple((float(w), float(h)) for w, h in pairs), 2.0)
            for stride, pairs in zip(self.strides, anchors, strict=True)
        )
        return BoxDecoding(levels, "squared", anchor_axis=1)

    def decode(self, raw: Tensor, level: int) -> Tensor:
        """One level's boxes in pixels and scores: (B, A·H·W, 5 + classes)."""
        _, per_cell, height, width, values = raw.shape
        scores = ops.sigmoid(raw)
        columns = cell_offsets(width, (1, 1, 1, width, 1))
        rows = cell_offsets(height, (1, 1, height, 1, 1))
        x = (scores[..., 0:1] * 2.0 - 0.5 + columns) * self.strides[level]
        y = (scores[..., 1:2] * 2.0 - 0.5 + rows) * self.strides[level]
        size = ops.square(scores[..., 2:4] * 2.0) * self.anchor_grid[level]
        boxes = ops.concat((x, y, size, scores[..., 4:]), -1)
        return ops.reshape(boxes, (-1, per_cell * height * width, values))
