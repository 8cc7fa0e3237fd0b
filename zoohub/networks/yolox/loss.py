"""The loss of YOLOX: boxes by IoU, objectness and classes, over the cells that SimOTA chooses.

Source: Ge et al., "YOLOX: Exceeding YOLO Series in 2021" (2021), as mindyolo has it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.distance_loss import cell_centres
from zoohub.networks.layers.distance_training import only_cell
from zoohub.networks.layers.loss_shells import FlatChannels
from zoohub.networks.layers.loss_weights import refuse_smoothing, weights_of
from zoohub.networks.layers.overlaps import cross_entropy, plain_iou, split_boxes
from zoohub.networks.yolox.assign import SimOTA
from zoohub.networks.yolox.blocks import DecoupledHead

_TINY = 1e-8  # keeps the logarithm of a side of 0 finite
_RARE = 0.01  # how likely a fresh head finds an object, and a class


@dataclass(frozen=True, slots=True)
class LossWeights:
    """What each part of the loss counts for. mindyolo's `l1` counts 1 in its last 15 epochs."""

    box: float = 5.0
    objectness: float = 1.0
    classes: float = 1.0
    l1: float = 0.0


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`.

    Raises:
        RecipeError: the recipe weighs a part that this loss does not have, or smooths labels.
    """
    refuse_smoothing(request, "YOLOX")
    weights = weights_of(LossWeights(), request, "YOLOX")
    strides = only_cell(net, DecoupledHead).strides
    return FlatChannels(net), FreeBoxLoss(strides, request.size, weights, request.workers)


def start_head(net: nn.Cell, classes: int, size: tuple[int, int]) -> None:
    """Bias a fresh head to what is true before anything is learned: objects are rare."""
    head = only_cell(net, DecoupledHead)
    for conv in (*head.cls_preds, *head.obj_preds):
        bias = np.full(conv.bias.shape, -math.log((1 - _RARE) / _RARE), np.float32)
        conv.bias.set_data(Tensor(bias))


class FreeBoxLoss(nn.Cell):
    """(flat maps (B, N, 5 + classes), targets (B, M, 5)) -> the loss, a scalar.

    A target is class, centre x, centre y, width, height in pixels of the input; class -1 fills up.
    Sums over cells are divided by the number of cells that answer for a box, over the batch that
    workers share; of a batch in parts each has its own.
    """

    def __init__(
        self,
        strides: Sequence[float],
        size: tuple[int, int],
        weights: LossWeights,
        workers: int = 1,
    ) -> None:
        """`size` is (height, width) of the input."""
        super().__init__(auto_prefix=False)
        centres, steps = cell_centres(size, strides)
        self.stride = Tensor(steps.reshape(1, -1))
        self.left = Tensor((centres[:, 0] - steps / 2).reshape(1, -1))
        self.top = Tensor((centres[:, 1] - steps / 2).reshape(1, -1))
        self.assign = SimOTA(centres, steps)
        self.height, self.width = float(size[0]), float(size[1])
        self.weights, self.workers = weights, workers
        if workers > 1:
            self.reduce = ops.AllReduce()

    def construct(self, maps: Tensor, targets: Tensor) -> Tensor:
        """See the class."""
        maps = maps.astype(ms.float32)
        own = self.clipped(targets[: maps.shape[0]])
        x = maps[:, :, 0] * self.stride + self.left
        y = maps[:, :, 1] * self.stride + self.top
        w, h = ops.exp(maps[:, :, 2]) * self.stride, ops.exp(maps[:, :, 3]) * self.stride
        objects, classes = maps[:, :, 4], maps[:, :, 5:]
        chances = ops.sqrt(ops.sigmoid(classes) * ops.sigmoid(maps[:, :, 4:5]))
        positive, boxes, labels, overlaps = self.assign(
            ops.stop_gradient(ops.stack((x, y, w, h), -1)), ops.stop_gradient(chances), own
        )
        positive, boxes = ops.stop_gradient(positive), ops.stop_gradient(boxes)
        overlaps = ops.stop_gradient(overlaps)
        count = self.share(positive.sum())

        x2, y2, w2, h2 = split_boxes(boxes)
        apart = (1 - ops.square(plain_iou(x, y, w, h, x2, y2, w2, h2))) * positive
        one, zero = Tensor(1.0, ms.float32), Tensor(0.0, ms.float32)
        truth = ops.one_hot(labels, classes.shape[-1], one, zero) * ops.expand_dims(overlaps, -1)
        wrong = cross_entropy(classes, truth).sum(-1) * positive
        unsure = cross_entropy(objects, positive)
        weigh = self.weights
        total = apart.sum() * weigh.box + wrong.sum() * weigh.classes
        if weigh.l1 > 0:
            off = ops.abs(x - x2) / self.stride + ops.abs(y - y2) / self.stride
            off = off + self.apart_in_size(w, w2) + self.apart_in_size(h, h2)
            total = total + (off * positive).sum() * weigh.l1
        return (total + unsure.sum() * weigh.objectness) / count

    def apart_in_size(self, one: Tensor, other: Tensor) -> Tensor:
        """How far the logarithms of two sides in cells are apart."""
        found, wanted = ops.log(one / self.stride + _TINY), ops.log(other / self.stride + _TINY)
        return ops.abs(found - wanted)

    def clipped(self, targets: Tensor) -> Tensor:
        """The targets with boxes cut to the input."""
        label, (x, y, w, h) = targets[:, :, 0], split_boxes(targets[:, :, 1:])
        x1, x2 = ops.clamp(x - w / 2, 0.0, self.width), ops.clamp(x + w / 2, 0.0, self.width)
        y1, y2 = ops.clamp(y - h / 2, 0.0, self.height), ops.clamp(y + h / 2, 0.0, self.height)
        return ops.stack((label, (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1), -1)

    def share(self, count: Tensor) -> Tensor:
        """What to divide a sum over this worker's cells by."""
        if self.workers > 1:
            count = self.reduce(count)
        return ops.maximum(count, Tensor(1.0, ms.float32)) / self.workers
