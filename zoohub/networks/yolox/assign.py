"""Which cells answer for which boxes in YOLOX: SimOTA (see `layers/simota.py`).

Costs, overlaps and targets are rounded to float16 as mindyolo's are: nearly equal costs become
equal, and what is equal at the limit is left out, so that other cells would answer without it.
"""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.overlaps import plain_iou, split_boxes
from zoohub.networks.layers.simota import class_costs, wanted_counts

_MOST = 10  # cells a box
_RADIUS = 1.5  # cells around a box's centre
_FAR, _NOT = 1000.0, 2000.0
_TINY = 1e-8


# What N cells should give: whether there is a box (B, N), its place (B, N, 4) and class (B, N), and
# how much the cell overlaps it (B, N). A plain tuple: graph mode runs a named one as Python.
Answers = tuple[Tensor, Tensor, Tensor, Tensor]


def half(values: Tensor) -> Tensor:
    """Rounded to float16, in float32."""
    return values.astype(ms.float16).astype(ms.float32)


class SimOTA(nn.Cell):
    """(boxes, chances, targets) -> `Answers`.

    Boxes (B, N, 4) by centre and size, chances (B, N, C) that a cell has an object of a class,
    and targets (B, M, 5), class -1 where there is none; all in pixels. A cell may answer for a box
    where its centre is in any box; those in the box and near its centre come first. A box gets as
    many cells as its ten best overlap it in sum, the cheapest; a cell that several want gets the
    cheapest box.
    """

    def __init__(self, centres: np.ndarray, strides: np.ndarray) -> None:
        """Of the cells: `centres` (N, 2) and `strides` (N,), in pixels."""
        super().__init__(auto_prefix=False)
        self.x = Tensor(centres[:, 0].reshape(1, 1, -1).astype(np.float32))
        self.y = Tensor(centres[:, 1].reshape(1, 1, -1).astype(np.float32))
        self.reach = Tensor((_RADIUS * strides).reshape(1, 1, -1).astype(np.float32))

    def construct(self, boxes: Tensor, chances: Tensor, targets: Tensor) -> Answers:
        """See the class."""
        batch, cells, _ = boxes.shape
        most = targets.shape[1]
        there = ops.expand_dims((targets[:, :, 0] >= 0).astype(ms.float32), -1)
        labels = ops.maximum(targets[:, :, 0], ops.zeros_like(targets[:, :, 0])).astype(ms.int32)
        near, possible = self.near(targets, there)

        x, y, w, h = split_boxes(ops.expand_dims(boxes, 1))
        x2, y2, w2, h2 = split_boxes(ops.expand_dims(targets[:, :, 1:], 2))
        overlaps = plain_iou(x, y, w, h, x2, y2, w2, h2) * possible
        cost = class_costs(chances, labels) - 3.0 * ops.log(overlaps + _TINY)
        cost = half(cost * possible + _FAR * (1 - near))
        overlaps = half(overlaps)
        counts = wanted_counts(overlaps, _MOST)
        cheapest, _ = ops.topk(-cost, _MOST)
        # The first that is too dear; there are never more than `_MOST` - 1 before it.
        limit = -ops.gather_elements(cheapest, 2, ops.clamp(counts, 1, _MOST - 1))
        chosen = (cost < limit).astype(ms.float32) * possible
        best = ops.argmin(cost * chosen + (1 - chosen) * _NOT, 1).astype(ms.int32)  # B, N
        order = ops.reshape(ops.arange(most).astype(ms.int32), (1, most, 1))
        chosen = chosen * (order == ops.expand_dims(best, 1)).astype(ms.float32)

        picture = ops.reshape(ops.arange(batch).astype(ms.int32), (batch, 1))
        flat = ops.reshape(best + picture * most, (-1,))
        box = ops.gather(ops.reshape(half(targets[:, :, 1:]), (-1, 4)), flat, 0)
        label = ops.gather(ops.reshape(labels, (-1,)), flat, 0)
        return (
            ops.amax(chosen, 1),
            ops.reshape(box, (batch, cells, 4)),
            ops.reshape(label, (batch, cells)),
            (overlaps * chosen).sum(1),
        )

    def near(self, targets: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """1 where a cell is in a box and near its centre; where it may answer: both (B, M, N)."""
        x, y, w, h = split_boxes(ops.expand_dims(targets[:, :, 1:], 2))
        across, down = ops.abs(self.x - x), ops.abs(self.y - y)
        inside = (ops.minimum(w / 2 - across, h / 2 - down) > 0).astype(ms.float32) * there
        central = (self.reach - ops.maximum(across, down) > 0).astype(ms.float32)
        return inside * central, ops.amax(inside, 1, True) * there
