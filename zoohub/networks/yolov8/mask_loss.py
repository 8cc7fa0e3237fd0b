"""The loss of YOLOv8 with masks: that of its boxes, and how wrong the masks are inside them.

Source: Bolya et al., "YOLACT" (2019), with the figures of Ultralytics YOLOv8 as mindyolo has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.distance_loss import Branch, DistanceLoss, DistanceWeights, Size
from zoohub.networks.layers.loss_shells import flat_channels
from zoohub.networks.layers.loss_weights import refuse_smoothing, weights_of
from zoohub.networks.layers.overlaps import cross_entropy, split_boxes

# Pixels of the input to one of a mask, along each side: `zoohub.tasks.detection.owners` draws the
# targets so.
MASK_STRIDE = 4
_CELLS = 600  # of a picture learn masks at most, as in mindyolo: it bounds the memory
_SMALLEST = 1e-4  # part of the picture: a smaller box counts as if it were that large


@dataclass(frozen=True, slots=True)
class MaskWeights(DistanceWeights):
    """What each part counts for, the masks among them."""

    masks: float = 7.5


class FlatMasks(nn.Cell):
    """A network whose head is `MaskHead`: in training it gives (raw maps as (B, N, 4 `REG_MAX` +
    classes), coefficients (B, N, 32), prototypes (B, 32, H / 4, W / 4))."""

    def __init__(self, net: nn.Cell) -> None:
        super().__init__(auto_prefix=False)
        self.net = net

    def construct(self, images: Tensor) -> object:
        """See the class."""
        outputs = self.net(images)
        if not self.training:
            return outputs
        raw, coefficients, prototypes = outputs
        return flat_channels(raw), ops.transpose(coefficients, (0, 2, 1)), prototypes


class MaskLoss(nn.Cell):
    """(`FlatMasks`' outputs, targets (B, M, 5), owners (B, H / 4, W / 4)) -> the loss, a scalar.

    Targets are those of `DistanceLoss`, the batch's own first. `owners` are int32: i + 1 where the
    object of target i is seen, 0 where none is. Each cell that answers for a box shall give its
    mask: the binary cross entropy's sum over the pixels inside the box, divided by the box's area,
    is averaged over a picture's cells, then over the pictures.
    """

    def __init__(
        self, strides: Sequence[float], size: Size, weights: MaskWeights, workers: int = 1
    ) -> None:
        """`size` is (height, width) of the input."""
        super().__init__(auto_prefix=False)
        self.boxes = DistanceLoss(strides, size, weights, (branch := Branch(),), workers)
        self.masks = weights.masks
        self.most, self.best = min(_CELLS, self.boxes.cells), branch.best
        rows, columns = np.mgrid[: size[0] // MASK_STRIDE, : size[1] // MASK_STRIDE]
        self.area = rows.size
        self.rows = Tensor(rows.reshape(1, 1, -1), ms.float32)
        self.columns = Tensor(columns.reshape(1, 1, -1), ms.float32)

    def construct(
        self, outputs: tuple[Tensor, Tensor, Tensor], targets: Tensor, owners: Tensor
    ) -> Tensor:
        """See the class."""
        maps, coefficients, prototypes = outputs
        maps = maps.astype(ms.float32)
        own = targets[: maps.shape[0]]
        total, box, which, answers = self.boxes.branch(maps, own, self.boxes.assigners[0])
        wrong = self.wrong_masks(
            (coefficients.astype(ms.float32), prototypes.astype(ms.float32)),
            (box, which, answers),
            owners,
            own.shape[1],
        )
        return total + wrong * self.masks

    def wrong_masks(
        self,
        given: tuple[Tensor, Tensor],
        answers_for: tuple[Tensor, Tensor, Tensor],
        owners: Tensor,
        targets: int,
    ) -> Tensor:
        """The masks' part, not weighed, of what the network gives and what each cell answers for
        (see `DistanceLoss.branch`) of so many `targets`."""
        coefficients, prototypes = given
        box, which, answers = answers_for
        batch, cells, kinds = coefficients.shape
        most = min(self.most, self.best * targets)
        counts, places = ops.topk(answers, most)
        first = ops.reshape(ops.arange(batch).astype(ms.int32) * cells, (batch, 1))
        flat = ops.reshape(places.astype(ms.int32) + first, (-1,))
        weights = ops.gather(ops.reshape(coefficients, (batch * cells, kinds)), flat, 0)
        weights = ops.reshape(weights, (batch, most, kinds))
        logits = ops.bmm(weights, ops.reshape(prototypes, (batch, kinds, self.area)))

        numbers = ops.reshape(ops.gather(ops.reshape(which, (-1,)), flat, 0), (batch, most, 1))
        seen = ops.reshape(owners, (batch, 1, self.area))
        truth = (seen == numbers + 1).astype(ms.float32)
        boxes = ops.reshape(ops.gather(ops.reshape(box, (-1, 4)), flat, 0), (batch, most, 1, 4))
        x, y, w, h = split_boxes(boxes / MASK_STRIDE)
        inside = (
            ops.logical_and(self.columns >= x - w / 2, self.columns < x + w / 2),
            ops.logical_and(self.rows >= y - h / 2, self.rows < y + h / 2),
        )
        crop = ops.logical_and(*inside).astype(ms.float32)
        part = ops.maximum(w * h / self.area, Tensor(_SMALLEST, ms.float32))
        each = (cross_entropy(logits, truth) * crop).mean(2) / ops.reshape(part, (batch, most))
        number = ops.maximum(counts.sum(1), Tensor(1.0, ms.float32))
        return ((each * counts).sum(1) / number).mean()


def mask_loss(
    net: nn.Cell, strides: Sequence[int], request: LossRequest
) -> tuple[nn.Cell, nn.Cell]:
    """The cell to train around a `net` with masks, and the loss of what it gives: see
    `Family.loss`.

    Raises:
        RecipeError: the recipe weighs a part that this loss does not have, or smooths labels.
    """
    refuse_smoothing(request, "YOLOv8")
    weights = weights_of(MaskWeights(), request, "YOLOv8")
    return FlatMasks(net), MaskLoss(strides, request.size, weights, request.workers)
