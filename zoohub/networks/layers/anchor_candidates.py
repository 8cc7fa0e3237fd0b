"""Which cells' anchors may answer for which boxes: YOLOv5's rule, and YOLOv7's wider one.

A box of width w and height h may be answered for, on each level, by every anchor that is at most
`ratio` times larger or smaller in both directions, in the cell of the box's centre and in the
nearer neighbour to the left or right and above or below; or in all four neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

# Of a level, n = B·M·A·cells of them in a row: place in the flattened (B·A·H·W) map, mask (1 where
# the candidate counts), cell column and row, the box's centre and size (n, 4) in cells, anchor
# (n, 2) in cells, class in int32.
Candidates = tuple[Tensor, ...]


class AnchorCandidates(nn.Cell):
    """(targets (B, M, 5), level) -> that level's `Candidates`, always as many."""

    def __init__(
        self,
        anchors: np.ndarray,
        strides: Sequence[float],
        size: tuple[int, int],
        ratio: float,
        all_neighbours: bool = False,
    ) -> None:
        """`anchors` are (levels, A, 2) in cells of their level; `size` is (height, width)."""
        super().__init__(auto_prefix=False)
        self.anchors = Tensor(np.asarray(anchors, np.float32))
        self.strides = tuple(float(stride) for stride in strides)
        self.grids = tuple((int(size[0] // s), int(size[1] // s)) for s in self.strides)
        self.per_cell = int(self.anchors.shape[1])
        self.ratio, self.all_neighbours = ratio, all_neighbours

    def construct(self, targets: Tensor, level: int) -> Candidates:
        """See the class."""
        height, width = self.grids[level]
        batch, most, _ = targets.shape
        kinds = self.per_cell
        label = targets[:, :, 0]
        wanted = targets[:, :, 1:] / self.strides[level]
        anchors = ops.reshape(self.anchors[level], (1, 1, kinds, 2))
        ratio = ops.reshape(wanted[:, :, 2:], (batch, most, 1, 2)) / anchors
        worst = ops.maximum(ratio, 1.0 / ops.maximum(ratio, ops.full_like(ratio, 1e-6)))
        worst = ops.maximum(worst[..., 0], worst[..., 1])
        fits = (worst < self.ratio).astype(ms.float32)
        fits = fits * ops.expand_dims((label >= 0).astype(ms.float32), -1)

        columns, rows = self.cells(wanted[:, :, 0], wanted[:, :, 1])  # B, M, cells
        shape = (batch, most, kinds, columns.shape[-1])
        inside = (columns >= 0) * (columns < width) * (rows >= 0) * (rows < height)
        mask = ops.expand_dims(fits, -1) * ops.expand_dims(inside.astype(ms.float32), 2)

        columns = ops.broadcast_to(ops.expand_dims(columns, 2), shape)
        rows = ops.broadcast_to(ops.expand_dims(rows, 2), shape)
        kind = ops.reshape(ops.arange(kinds).astype(ms.float32), (1, 1, kinds, 1))
        picture = ops.reshape(ops.arange(batch).astype(ms.float32), (batch, 1, 1, 1))
        # In int32: a float32 counts exactly only to 2^24.
        where = (
            picture.astype(ms.int32) * (kinds * height * width)
            + kind.astype(ms.int32) * (height * width)
            + rows.astype(ms.int32) * width
            + columns.astype(ms.int32)
        )
        where = where * mask.astype(ms.int32)
        boxes = ops.broadcast_to(ops.reshape(wanted, (batch, most, 1, 1, 4)), (*shape, 4))
        sizes = ops.broadcast_to(ops.reshape(anchors, (1, 1, kinds, 1, 2)), (*shape, 2))
        label = ops.reshape(ops.maximum(label, ops.zeros_like(label)), (batch, most, 1, 1))
        return (
            ops.reshape(where, (-1,)),
            ops.reshape(mask, (-1,)),
            ops.reshape(columns, (-1,)),
            ops.reshape(rows, (-1,)),
            ops.reshape(boxes, (-1, 4)),
            ops.reshape(sizes, (-1, 2)),
            ops.reshape(ops.broadcast_to(label, shape), (-1,)).astype(ms.int32),
        )

    def cells(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Columns and rows (B, M, cells) of a centre's own cell, first, and of its neighbours."""
        column, row = ops.floor(x), ops.floor(y)
        if self.all_neighbours:
            columns = (column, column - 1, column, column + 1, column)
            return ops.stack(columns, -1), ops.stack((row, row, row - 1, row, row + 1), -1)
        # The nearer neighbours: half a cell or more into the cell, it is the next, else the one
        # before.
        beside = column + ops.select(x - column < 0.5, ops.full_like(x, -1.0), ops.ones_like(x))
        above = row + ops.select(y - row < 0.5, ops.full_like(y, -1.0), ops.ones_like(y))
        return ops.stack((column, beside, column), -1), ops.stack((row, row, above), -1)
