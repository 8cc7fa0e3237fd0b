"""The loss of the detectors that say how far a box's sides are: YOLOv8 to YOLOv11.

Source: Ultralytics YOLOv8 (2023) as mindyolo has it; Li et al., "Generalized Focal Loss" (2020) for
the distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.distance_head import REG_MAX
from zoohub.networks.layers.overlaps import complete_iou, cross_entropy, split_boxes
from zoohub.networks.layers.task_aligned import TaskAligned

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DistanceWeights:
    """What each part of the loss counts for: the figures of all sizes and generations."""

    box: float = 7.5
    classes: float = 0.5
    distances: float = 1.5


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch of the head: what its loss counts for, and how many cells answer for a box."""

    weight: float = 1.0
    best: int = 10


def cell_centres(size: Size, strides: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Of all levels' cells, row by row: the centres (N, 2) as x, y and the strides (N,), pixels."""
    centres, steps = [], []
    for stride in strides:
        height, width = int(size[0] // stride), int(size[1] // stride)
        rows, columns = np.mgrid[:height, :width].reshape(2, -1)
        centres.append((np.stack((columns, rows), 1) + 0.5) * stride)
        steps.append(np.full(height * width, stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(steps).astype(np.float32)


class DistanceLoss(nn.Cell):
    """(flat maps (B, branches·N, 4 `REG_MAX` + classes), targets (B, M, 5)) -> the loss, a scalar.

    A target is class, centre x, centre y, width, height in pixels of the input; class -1 fills
    up. The loss is the mean over the batch: upstream's own is B times as much.

    Each sum over cells is divided by the sum of the scores wanted, over the batch that workers
    share. Of a batch in parts each part has its own: what is wanted of the others is not known.
    """

    def __init__(
        self,
        strides: Sequence[float],
        size: Size,
        weights: DistanceWeights,
        branches: Sequence[Branch] = (Branch(),),
        workers: int = 1,
    ) -> None:
        """`size` is (height, width) of the input."""
        super().__init__(auto_prefix=False)
        centres, steps = cell_centres(size, strides)
        self.cells = len(steps)
        self.stride = Tensor(steps.reshape(1, -1))
        self.x = Tensor((centres[:, 0] / steps).reshape(1, -1))
        self.y = Tensor((centres[:, 1] / steps).reshape(1, -1))
        self.steps = Tensor(np.arange(REG_MAX, dtype=np.float32))
        self.weights, self.workers = weights, workers
        self.counts_for = tuple(branch.weight for branch in branches)
        self.assigners = nn.CellList([TaskAligned(centres, branch.best) for branch in branches])
        if workers > 1:
            self.reduce = ops.AllReduce()

    def construct(self, maps: Tensor, targets: Tensor) -> Tensor:
        """See the class."""
        maps = maps.astype(ms.float32)
        own = targets[: maps.shape[0]]
        # Split, as a slice that is all there is costs thirty times as much (MindSpore 2.10, CPU).
        parts = ops.split(maps, self.cells, 1)
        total = Tensor(0.0, ms.float32)
        for place, assigner in enumerate(self.assigners):
            total = total + self.branch(parts[place], own, assigner)[0] * self.counts_for[place]
        return total

    def branch(
        self, maps: Tensor, targets: Tensor, assigner: nn.Cell
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The loss of one branch's maps (B, N, V), and of each cell the box that it answers for, in
        pixels (B, N, 4), which target that is and 1 where it answers for any, (B, N)."""
        batch, cells, values = maps.shape
        classes = values - 4 * REG_MAX
        logits = ops.reshape(maps[:, :, : 4 * REG_MAX], (batch, cells, 4, REG_MAX))
        scores = maps[:, :, 4 * REG_MAX :]
        left, top, right, bottom = split_boxes(self.mean_distances(ops.softmax(logits, -1)))
        x, y = self.x + (right - left) / 2, self.y + (bottom - top) / 2
        w, h = left + right, top + bottom
        pixels = ops.stack((x, y, w, h), -1) * ops.expand_dims(self.stride, -1)
        box, label, wanted, which, answers = assigner(
            ops.stop_gradient(ops.sigmoid(scores)), ops.stop_gradient(pixels), targets
        )
        box, wanted = ops.stop_gradient(box), ops.stop_gradient(wanted)
        count = self.share(wanted.sum())

        one, zero = Tensor(1.0, ms.float32), Tensor(0.0, ms.float32)
        truth = ops.one_hot(label, classes, one, zero) * ops.expand_dims(wanted, -1)
        wrong = cross_entropy(scores, truth).sum()
        x2, y2, w2, h2 = split_boxes(box / ops.expand_dims(self.stride, -1))
        apart = ((1 - complete_iou(x, y, w, h, x2, y2, w2, h2)) * wanted).sum()
        before = (self.x - x2 + w2 / 2, self.y - y2 + h2 / 2)
        after = (x2 + w2 / 2 - self.x, y2 + h2 / 2 - self.y)
        sides = ops.stack((*before, *after), -1)
        off = (self.distance_loss(logits, sides) * wanted).sum()
        weigh = self.weights
        total = (apart * weigh.box + wrong * weigh.classes + off * weigh.distances) / count
        return total, box, ops.stop_gradient(which), ops.stop_gradient(answers)

    def mean_distances(self, chances: Tensor) -> Tensor:
        """(…, `REG_MAX`) -> their means (…), rounded as mindyolo's float16 rounds them.

        What a cell's fitness is, the sixth power of an overlap, shows the difference: without it
        losses are apart by a thousandth. The gradients are those of the means as they are.
        """
        means = (chances * self.steps).sum(-1)
        rough = (ops.stop_gradient(chances).astype(ms.float16).astype(ms.float32) * self.steps).sum(
            -1
        )
        rough = rough.astype(ms.float16).astype(ms.float32)
        return means + ops.stop_gradient(rough - means)

    def distance_loss(self, logits: Tensor, sides: Tensor) -> Tensor:
        """Distribution focal loss, the mean over the four sides: (B, N).

        A side wanted between two steps shall have its weight on both, by how near they are.
        """
        wanted = ops.expand_dims(ops.clamp(sides, 0.0, REG_MAX - 1 - 0.01), -1)
        near = 1 - ops.abs(self.steps - wanted)
        near = ops.maximum(near, ops.zeros_like(near))
        return -(ops.log_softmax(logits, -1) * near).sum(-1).mean(-1)

    def share(self, count: Tensor) -> Tensor:
        """What to divide a sum over this worker's cells by."""
        if self.workers > 1:
            count = self.reduce(count)
        return ops.maximum(count, Tensor(1.0, ms.float32)) / self.workers
