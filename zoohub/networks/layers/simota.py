"""What it costs to let a cell answer for a box, and how many shall: SimOTA, of YOLOX and YOLOv7.

Source: Ge et al., "YOLOX: Exceeding YOLO Series in 2021" (2021), section 2.1.
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, ops

_SMALLEST = 1e-12


def class_costs(chances: Tensor, labels: Tensor) -> Tensor:
    """Binary cross entropy, summed over the classes, of each cell against each box's class.

    Chances (B, N, C) from 0 to 1 and labels (B, M) in int32 -> (B, M, N). A cell's sum over all
    classes as wrong is taken once; a box corrects it for its own class.
    """
    batch, cells, classes = chances.shape
    small = ops.full_like(chances, _SMALLEST)
    right, wrong = ops.log(ops.maximum(chances, small)), ops.log(ops.maximum(1 - chances, small))
    by_class = ops.reshape(ops.transpose(wrong - right, (0, 2, 1)), (batch * classes, cells))
    picture = ops.reshape(ops.arange(batch).astype(ms.int32), (batch, 1))
    own = ops.gather(by_class, picture * classes + labels, 0)
    return own - ops.expand_dims(wrong.sum(-1), 1)


def wanted_counts(overlaps: Tensor, most: int) -> Tensor:
    """How many cells shall answer for each box: the sum of the `most` best overlaps, at least 1.

    (B, M, N) -> (B, M, 1) in int32, rounded down.
    """
    best, _ = ops.topk(overlaps, most)
    total = best.sum(-1, keepdims=True)
    return ops.maximum(total, ops.ones_like(total)).astype(ms.int32)
