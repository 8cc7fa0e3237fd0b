"""Which cells answer for which boxes, by how well they already do: YOLOv8 to YOLOv11.

Source: Feng et al., "TOOD: Task-aligned One-stage Object Detection" (2021), with the figures and
the ties of Ultralytics and mindyolo. Shapes are fixed, so that it compiles once.
"""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.overlaps import complete_iou, split_boxes

_TINY = 1e-9


class TaskAligned(nn.Cell):
    """(scores, boxes, targets) -> the boxes, classes and scores that each of N cells should give,
    and which target that is.

    A cell is fit for a box by its score for the box's class, to the power of 1/2, times the sixth
    power of their complete IoU. Of the cells whose centre is inside a box the `best` fit answer for
    it; one that would answer for several does for the one that it overlaps most.

    Takes scores (B, N, C) from 0 to 1, boxes (B, N, 4) by centre and size, and targets (B, M, 5):
    class, centre and size, class -1 where there is none; all in pixels. Returns boxes (B, N, 4),
    classes (B, N) in int32 and scores (B, N), 0 where a cell has no box to answer for; then the
    targets' places (B, N) in int32, and 1 where a cell answers for one at all (B, N): its score may
    be 0 all the same.
    """

    def __init__(self, centres: np.ndarray, best: int = 10) -> None:
        """`centres` are those of the cells, (N, 2) in pixels."""
        super().__init__(auto_prefix=False)
        self.x = Tensor(np.ascontiguousarray(centres[:, 0]).reshape(1, 1, -1), ms.float32)
        self.y = Tensor(np.ascontiguousarray(centres[:, 1]).reshape(1, 1, -1), ms.float32)
        self.best = min(best, len(centres))

    def construct(
        self, scores: Tensor, boxes: Tensor, targets: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """See the class."""
        batch, cells, classes = scores.shape
        most = targets.shape[1]
        there = ops.expand_dims((targets[:, :, 0] >= 0).astype(ms.float32), -1)
        labels = ops.maximum(targets[:, :, 0], ops.zeros_like(targets[:, :, 0])).astype(ms.int32)
        overlaps = self.overlaps(boxes, targets) * there
        picture = ops.reshape(ops.arange(batch).astype(ms.int32), (batch, 1))
        by_class = ops.reshape(ops.transpose(scores, (0, 2, 1)), (batch * classes, cells))
        own = ops.gather(by_class, picture * classes + labels, 0)  # B, M, N
        squares = overlaps * overlaps
        fit = ops.sqrt(own) * (squares * squares * squares)

        inside = self.inside(targets) * there
        _, places = ops.topk(fit * inside, self.best)
        chosen = ops.tensor_scatter_elements(
            ops.zeros((batch, most, cells), ms.float32),
            places.astype(ms.int32),
            ops.ones((batch, most, self.best), ms.float32),
            axis=2,
        )
        chosen = chosen * inside
        # Where several want a cell the most overlapping gets it, even one that did not choose it.
        order = ops.reshape(ops.arange(most).astype(ms.int32), (1, most, 1))
        nearest = ops.expand_dims(ops.argmax(overlaps, 1).astype(ms.int32), 1)
        wanted = ops.expand_dims(chosen.sum(1), 1) > 1
        chosen = ops.select(
            ops.broadcast_to(wanted, chosen.shape), (order == nearest).astype(ms.float32), chosen
        )

        # The best cell of a box should score as much as it overlaps, the others in proportion.
        fit = fit * chosen
        highest = ops.amax(overlaps * chosen, 2, True) / (ops.amax(fit, 2, True) + _TINY)
        wanted_scores = ops.amax(fit * highest, 1)
        which = ops.argmax(chosen, 1).astype(ms.int32)  # B, N
        flat = ops.reshape(which + picture * most, (-1,))
        box = ops.gather(ops.reshape(targets[:, :, 1:], (batch * most, 4)), flat, 0)
        label = ops.gather(ops.reshape(labels, (-1,)), flat, 0)
        return (
            ops.reshape(box, (batch, cells, 4)),
            ops.reshape(label, (batch, cells)),
            wanted_scores,
            which,
            ops.amax(chosen, 1),
        )

    def overlaps(self, boxes: Tensor, targets: Tensor) -> Tensor:
        """Complete IoU of each target with each cell's box, at least 0: (B, M, N)."""
        x, y, w, h = split_boxes(ops.expand_dims(boxes, 1))
        x2, y2, w2, h2 = split_boxes(ops.expand_dims(targets[:, :, 1:], 2))
        overlaps = complete_iou(x, y, w, h, x2, y2, w2, h2)
        return ops.maximum(overlaps, ops.zeros_like(overlaps))

    def inside(self, targets: Tensor) -> Tensor:
        """1 where a cell's centre is inside a target: (B, M, N)."""
        x, y, w, h = split_boxes(ops.expand_dims(targets[:, :, 1:], 2))
        across = w / 2 - ops.abs(self.x - x)
        down = h / 2 - ops.abs(self.y - y)
        return (ops.minimum(across, down) > _TINY).astype(ms.float32)
