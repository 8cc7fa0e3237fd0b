"""The loss of YOLOv4: the best anchors at a box's centre answer for it, sums over the cells.

Source: Bochkovskiy et al., "YOLOv4" (2020), as mindyolo has it; it trains with an eighth of this
figure, which it reports. Two things differ from what its code says: a box counts twice, whatever
its size (there the size is made a fraction twice, so that 2 - w·h is 2 but for a millionth), and no
cell has an object without a box (there the first cell of the first picture always has).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.loss_shells import FlatMaps
from zoohub.networks.layers.loss_weights import weights_of
from zoohub.networks.layers.overlaps import (
    cross_entropy,
    generalized_iou,
    plain_iou,
    split_boxes,
)
from zoohub.outputs.box_decoding import Level

_FITS = 0.213  # an anchor answers that overlaps a box by more, or best, centres apart
_IGNORED = 0.7  # a cell that overlaps any box by as much is not taught that it has none
_BOX_SCALE = 2.0


@dataclass(frozen=True, slots=True)
class LossWeights:
    """What each part of the loss counts for."""

    box: float = 10.0
    objectness: float = 1.0
    classes: float = 1.0


def exponential_loss(
    net: nn.Cell,
    levels: Sequence[Level],
    request: LossRequest,
    family: str,
    balance: Sequence[float] | None = None,
) -> tuple[nn.Cell, nn.Cell]:
    """The cell to train around `net`, and the loss of what it gives: see `Family.loss`. `balance`
    is what each level counts for; None: all the same.

    Raises:
        RecipeError: the recipe weighs a part that this loss does not have.
    """
    weights = weights_of(LossWeights(), request, family)
    smoothing = request.label_smoothing
    return FlatMaps(net), ExponentialLoss(levels, request.size, weights, smoothing, balance)


class ExponentialLoss(nn.Cell):
    """(flat maps (B, N, 5 + classes), targets (B, M, 5)) -> the loss, a scalar.

    A target is class, centre x, centre y, width, height in pixels of the input; class -1 fills up.
    The loss is the sum over the cells, the mean over the batch.
    """

    def __init__(
        self,
        levels: Sequence[Level],
        size: tuple[int, int],
        weights: LossWeights,
        label_smoothing: float = 0.0,
        balance: Sequence[float] | None = None,
    ) -> None:
        """`size` is (height, width) of the input."""
        super().__init__(auto_prefix=False)
        self.size, self.weights = size, weights
        self.balance = tuple(balance or [1.0] * len(levels))
        self.grids = tuple((int(size[0] // lv.stride), int(size[1] // lv.stride)) for lv in levels)
        self.scales = tuple(level.xy_scale for level in levels)
        self.kinds = len(levels[0].anchors)
        self.anchors = Tensor(np.array([level.anchors for level in levels], np.float32))
        places = [np.mgrid[:height, :width].reshape(2, -1) for height, width in self.grids]
        self.corners = tuple(
            Tensor(np.repeat(place[::-1].T, self.kinds, 0).astype(np.float32)) for place in places
        )  # column and row of each of the level's rows
        self.counts = tuple(corner.shape[0] for corner in self.corners)
        whole = np.array([size[1], size[0]], np.float32)
        self.whole = Tensor(np.tile(whole, 2))
        self.right, self.wrong = 1.0 - 0.5 * label_smoothing, 0.5 * label_smoothing

    def construct(self, maps: Tensor, targets: Tensor) -> Tensor:
        """See the class."""
        maps = maps.astype(ms.float32)
        own = targets[: maps.shape[0]]
        fits = self.fits(own)
        parts = ops.split(maps, self.counts, 1)
        total = Tensor(0.0, ms.float32)
        for level in range(len(self.grids)):
            one = self.level(parts[level], own, fits[:, :, level], level)
            total = total + one * self.balance[level]
        return total / maps.shape[0]

    def fits(self, targets: Tensor) -> Tensor:
        """1 where an anchor answers for a box: (B, M, levels, A)."""
        batch, most, _ = targets.shape
        w, h = ops.expand_dims(targets[:, :, 3], -1), ops.expand_dims(targets[:, :, 4], -1)
        sizes = ops.reshape(self.anchors, (1, 1, -1, 2))
        zero = ops.zeros_like(w)
        overlaps = plain_iou(zero, zero, w, h, zero, zero, sizes[..., 0], sizes[..., 1])
        best = (overlaps >= ops.amax(overlaps, -1, True)).astype(ms.float32)
        chosen = ops.maximum(best, (overlaps > _FITS).astype(ms.float32))
        there = ops.expand_dims((targets[:, :, 0] >= 0).astype(ms.float32), -1)
        return ops.reshape(chosen * there, (batch, most, len(self.grids), self.kinds))

    def level(self, maps: Tensor, targets: Tensor, fits: Tensor, level: int) -> Tensor:
        """The sum of one level's losses; maps are (B, H·W·A, values), `fits` (B, M, A)."""
        batch, cells, values = maps.shape
        boxes = self.boxes(maps, level)
        wanted = targets[:, :, 1:] / self.whole
        where = self.places(wanted, cells, level) * fits.astype(ms.int32)
        where, mask = ops.reshape(where, (-1,)), ops.reshape(fits, (-1,))
        spread = (*fits.shape, 4)
        truth = ops.reshape(ops.broadcast_to(ops.expand_dims(wanted, 2), spread), (-1, 4))
        chosen = ops.gather(ops.reshape(boxes, (-1, 4)), where, 0)
        apart = 1 - generalized_iou(*split_boxes(chosen), *split_boxes(truth))
        box = (apart * mask).sum() * _BOX_SCALE

        present = ops.unsorted_segment_max(mask, where, batch * cells)
        present = ops.reshape(ops.maximum(present, ops.zeros_like(present)), (batch, cells))
        counts = ops.maximum(present, self.clear(ops.stop_gradient(boxes), targets))
        objectness = (cross_entropy(maps[:, :, 4], present) * counts).sum()

        weigh = self.weights
        total = box * weigh.box + objectness * weigh.objectness
        if values == 6:  # one class: nothing to tell apart
            return total
        label = ops.maximum(targets[:, :, 0], ops.zeros_like(targets[:, :, 0])).astype(ms.int32)
        label = ops.reshape(ops.broadcast_to(ops.expand_dims(label, 2), fits.shape), (-1,))
        right, wrong = Tensor(self.right, ms.float32), Tensor(self.wrong, ms.float32)
        hot = ops.one_hot(label, values - 5, right, wrong)
        logits = ops.gather(ops.reshape(maps, (-1, values)), where, 0)[:, 5:]
        return total + (cross_entropy(logits, hot).sum(1) * mask).sum() * weigh.classes

    def boxes(self, maps: Tensor, level: int) -> Tensor:
        """A level's boxes, centre and size, as fractions of the input: (B, H·W·A, 4)."""
        height, width = self.grids[level]
        scale, corners = self.scales[level], self.corners[level]
        inner = ops.sigmoid(maps[:, :, :2]) * scale - (scale - 1) / 2
        x = (inner[:, :, 0] + corners[:, 0]) / width
        y = (inner[:, :, 1] + corners[:, 1]) / height
        sizes = ops.tile(self.anchors[level], (height * width, 1))
        w = ops.exp(maps[:, :, 2]) * sizes[:, 0] / self.size[1]
        h = ops.exp(maps[:, :, 3]) * sizes[:, 1] / self.size[0]
        return ops.stack((x, y, w, h), -1)

    def places(self, wanted: Tensor, cells: int, level: int) -> Tensor:
        """Where the anchors of a box's own cell are in the flat maps: (B, M, A), in int32."""
        height, width = self.grids[level]
        batch = wanted.shape[0]
        column = ops.clamp(ops.floor(wanted[:, :, 0] * width), 0, width - 1).astype(ms.int32)
        row = ops.clamp(ops.floor(wanted[:, :, 1] * height), 0, height - 1).astype(ms.int32)
        picture = ops.reshape(ops.arange(batch).astype(ms.int32), (batch, 1))
        first = picture * cells + (row * width + column) * self.kinds
        kinds = ops.reshape(ops.arange(self.kinds).astype(ms.int32), (1, 1, self.kinds))
        return ops.expand_dims(first, -1) + kinds

    def clear(self, boxes: Tensor, targets: Tensor) -> Tensor:
        """1 where a cell's box hardly overlaps any target: (B, H·W·A)."""
        there = ops.expand_dims((targets[:, :, 0] >= 0).astype(ms.float32), 1)
        one = split_boxes(ops.expand_dims(boxes * self.whole, 2))
        overlaps = plain_iou(*one, *split_boxes(ops.expand_dims(targets[:, :, 1:], 1))) * there
        return (ops.amax(overlaps, 2) < _IGNORED).astype(ms.float32)
