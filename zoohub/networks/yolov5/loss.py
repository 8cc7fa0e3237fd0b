"""The loss of YOLOv5: which cells answer for which boxes, and how wrong they are.

Source: Ultralytics YOLOv5, release 6. Everything has a fixed shape, so that it compiles once:
targets are padded, and each gives the same number of candidates, most of them masked out.

A box of width w and height h is answered for, on each level, by every anchor that is at most
`anchor_ratio` times larger or smaller in both directions, in the cell of the box's centre and in
the nearer neighbour to the left or right and above or below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.anchor_head import AnchorHead
from zoohub.networks.layers.loss_shells import FlatMaps
from zoohub.networks.layers.loss_weights import weights_of
from zoohub.networks.layers.overlaps import complete_iou, cross_entropy


@dataclass(frozen=True, slots=True)
class LossWeights:
    """What each part of the loss counts for, by the names that recipes have; see `scaled`."""

    box: float = 0.05
    objectness: float = 1.0
    classes: float = 0.5
    anchor_ratio: float = 4.0

    def scaled(self, size: tuple[int, int], classes: int, levels: int) -> LossWeights:
        """The weights for an input of `size` (height, width), `classes` and `levels`, as YOLOv5's.

        Objectness is a mean over all cells: a small input has fewer that are empty, so that the
        same objects weigh more in it. The class loss is a mean over the classes. Without this an
        input of 96×96 would learn where the objects are not, and hardly anything else.
        """
        part = 3 / levels
        return replace(
            self,
            box=self.box * part,
            objectness=self.objectness * part * size[0] * size[1] / (640 * 640),
            classes=self.classes * part * classes / 80,
        )


def level_balance(levels: int) -> tuple[float, ...]:
    """What each level's objectness counts for, from fine to coarse: YOLOv5's figures."""
    return {3: (4.0, 1.0, 0.4), 4: (4.0, 1.0, 0.25, 0.06)}[levels]


def head_of(net: nn.Cell) -> AnchorHead:
    """The network's anchor head."""
    return next(cell for _, cell in net.cells_and_names() if isinstance(cell, AnchorHead))


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """The cell to train around `net`, and the loss of what it gives."""
    head = head_of(net)
    weights = weights_of(LossWeights(), request, "YOLOv5").scaled(
        request.size, request.classes, len(head.strides)
    )
    loss = BoxLoss(
        head.anchors.asnumpy(),
        head.strides,
        request.size,
        weights,
        request.label_smoothing,
        request.workers,
    )
    return FlatMaps(net), loss


def start_head(net: nn.Cell, classes: int, size: tuple[int, int], objects: float = 8.0) -> None:
    """Bias a fresh head to what is true before anything is learned: boxes are rare.

    About `objects` boxes to a picture of 640×640, and `classes` equally likely classes, as in
    YOLOv5 (Lin et al. 2017, section 3.3).
    """
    head = head_of(net)
    area = size[0] * size[1] / (640 * 640)
    for conv, stride in zip(head.m, head.strides, strict=True):
        cells = size[0] * size[1] / stride**2
        bias = conv.bias.asnumpy().reshape(head.per_cell, -1).copy()
        bias[:, 4] = math.log(max(1e-4, objects * max(area, 1e-2)) / cells)
        bias[:, 5:] = math.log(0.6 / (classes - 0.99))
        conv.bias.set_data(Tensor(bias.reshape(-1)))


class BoxLoss(nn.Cell):
    """(flat maps (B, N, 5 + classes), targets (B, M, 5)) -> the loss, a scalar.

    A target is class, centre x, centre y, width, height in pixels of the input; class -1 fills
    up. The loss is the mean over the batch: YOLOv5's own is the sum, B times as much.

    Where several workers share a batch, or it is computed in parts, the mean of their losses is
    the loss of the whole batch. Of a batch in k parts, targets are (k·B, M, 5), all of this
    worker's, and those of the B pictures come first.
    """

    def __init__(
        self,
        anchors: Any,
        strides: Sequence[float],
        size: tuple[int, int],
        weights: LossWeights,
        label_smoothing: float = 0.0,
        workers: int = 1,
    ) -> None:
        """`anchors` are (levels, A, 2) in cells of their level; `size` is (height, width)."""
        super().__init__(auto_prefix=False)
        self.anchors = Tensor(np.asarray(anchors, np.float32))
        self.strides = tuple(float(stride) for stride in strides)
        self.grids = tuple((int(size[0] // s), int(size[1] // s)) for s in self.strides)
        self.per_cell = int(self.anchors.shape[1])
        self.weights = weights
        self.balance = level_balance(len(self.strides))
        self.right = 1.0 - 0.5 * label_smoothing
        self.wrong = 0.5 * label_smoothing
        self.workers = workers
        if workers > 1:
            self.reduce = ops.AllReduce()

    def construct(self, maps: Tensor, targets: Tensor) -> Tensor:
        """See the class."""
        maps = maps.astype(ms.float32)
        box, objectness, classes = maps.sum() * 0.0, maps.sum() * 0.0, maps.sum() * 0.0
        start = 0
        for level in range(len(self.strides)):
            height, width = self.grids[level]
            count = self.per_cell * height * width
            part = maps[:, start : start + count]
            start += count
            level_box, level_objectness, level_classes = self.level(part, targets, level)
            box = box + level_box
            objectness = objectness + level_objectness * self.balance[level]
            classes = classes + level_classes
        w = self.weights
        return box * w.box + objectness * w.objectness + classes * w.classes

    def level(self, maps: Tensor, targets: Tensor, level: int) -> tuple[Tensor, Tensor, Tensor]:
        """One level's box, objectness and class loss; maps (B, A·H·W, V)."""
        batch, cells, values = maps.shape
        own = targets[:batch]
        where, mask, column, row, wanted, anchor, label = self.assign(own, level, cells)
        parts = targets.shape[0] // batch
        everyone = mask if parts == 1 else self.assign(targets, level, cells)[1]
        count = self.share(everyone.sum(), parts)
        flat = ops.reshape(maps, (batch * cells, values))
        chosen = ops.gather(flat, where, 0)
        sides = ops.sigmoid(chosen[:, :4])
        centre = sides[:, :2] * 2.0 - 0.5
        size = ops.square(sides[:, 2:4] * 2.0) * anchor
        overlap = complete_iou(
            centre[:, 0] + column, centre[:, 1] + row, size[:, 0], size[:, 1],
            wanted[:, 0], wanted[:, 1], wanted[:, 2], wanted[:, 3],
        )  # fmt: skip
        box = ((1.0 - overlap) * mask).sum() / count

        known = ops.stop_gradient(ops.maximum(overlap, ops.zeros_like(overlap)) * mask)
        # Where several boxes want one cell the best fit counts, in whatever order they come; cells
        # that none wants get the lowest number there is.
        best = ops.unsorted_segment_max(known, where, batch * cells)
        truth = ops.maximum(best, ops.zeros_like(best))
        objectness = cross_entropy(flat[:, 4], ops.stop_gradient(truth)).mean()

        classes = values - 5
        if classes == 1:  # nothing to tell apart
            return box, objectness, box * 0.0
        hot = ops.one_hot(
            label, classes, Tensor(self.right, ms.float32), Tensor(self.wrong, ms.float32)
        )
        wrong = cross_entropy(chosen[:, 5:], hot).mean(1)
        return box, objectness, (wrong * mask).sum() / count

    def share(self, count: Tensor, parts: int) -> Tensor:
        """What to divide the sum over a part's candidates by, of the `count` this worker has.

        Divided by its own count, the few objects of one part would weigh more than the many of
        another.
        """
        if self.workers > 1:
            count = self.reduce(count)
        return ops.maximum(count, Tensor(1.0, ms.float32)) / (self.workers * parts)

    def assign(self, targets: Tensor, level: int, cells: int) -> tuple[Tensor, ...]:
        """A level's candidates, B·M·A·3 of them in a row.

        Returns: place in the flattened (B·A·H·W) map, mask (1 where the candidate counts), cell
        column and row, wanted centre and size (n, 4) in cells, anchor (n, 2) in cells, class.
        """
        height, width = self.grids[level]
        batch, most, _ = targets.shape
        kinds = self.per_cell
        shape = (batch, most, kinds, 3)
        label = targets[:, :, 0]
        wanted = targets[:, :, 1:] / self.strides[level]
        anchors = ops.reshape(self.anchors[level], (1, 1, kinds, 2))
        ratio = ops.reshape(wanted[:, :, 2:], (batch, most, 1, 2)) / anchors
        worst = ops.maximum(ratio, 1.0 / ops.maximum(ratio, ops.full_like(ratio, 1e-6)))
        worst = ops.maximum(worst[..., 0], worst[..., 1])
        fits = (worst < self.weights.anchor_ratio).astype(ms.float32)
        fits = fits * ops.expand_dims((label >= 0).astype(ms.float32), -1)

        x, y = wanted[:, :, 0], wanted[:, :, 1]
        column, row = ops.floor(x), ops.floor(y)
        # The nearer neighbours: half a cell or more into the cell, it is the next, else the one
        # before.
        beside = column + ops.select(x - column < 0.5, ops.full_like(x, -1.0), ops.ones_like(x))
        above = row + ops.select(y - row < 0.5, ops.full_like(y, -1.0), ops.ones_like(y))
        columns = ops.stack((column, beside, column), -1)  # B, M, 3
        rows = ops.stack((row, row, above), -1)
        inside = (columns >= 0) * (columns < width) * (rows >= 0) * (rows < height)
        mask = ops.expand_dims(fits, -1) * ops.expand_dims(inside.astype(ms.float32), 2)

        columns = ops.broadcast_to(ops.expand_dims(columns, 2), shape)
        rows = ops.broadcast_to(ops.expand_dims(rows, 2), shape)
        kind = ops.reshape(ops.arange(kinds).astype(ms.float32), (1, 1, kinds, 1))
        picture = ops.reshape(ops.arange(batch).astype(ms.float32), (batch, 1, 1, 1))
        # In int32: a float32 counts exactly only to 2^24.
        where = (
            picture.astype(ms.int32) * cells
            + kind.astype(ms.int32) * (height * width)
            + rows.astype(ms.int32) * width
            + columns.astype(ms.int32)
        )
        where = where * mask.astype(ms.int32)
        return (
            ops.reshape(where, (-1,)),
            ops.reshape(mask, (-1,)),
            ops.reshape(columns, (-1,)),
            ops.reshape(rows, (-1,)),
            ops.reshape(
                ops.broadcast_to(ops.reshape(wanted, (batch, most, 1, 1, 4)), (*shape, 4)), (-1, 4)
            ),
            ops.reshape(
                ops.broadcast_to(ops.reshape(anchors, (1, 1, kinds, 1, 2)), (*shape, 2)), (-1, 2)
            ),
            ops.reshape(
                ops.broadcast_to(
                    ops.reshape(ops.maximum(label, ops.zeros_like(label)), (batch, most, 1, 1)),
                    shape,
                ),
                (-1,),
            ).astype(ms.int32),
        )
