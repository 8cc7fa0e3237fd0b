"""What YOLOv8 to YOLOv11 have in common in training: the loss of their branches, a head's start."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from mindspore import Tensor, nn

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.distance_loss import Branch, DistanceLoss, DistanceWeights
from zoohub.networks.layers.loss_shells import FlatChannels
from zoohub.networks.layers.loss_weights import refuse_smoothing, weights_of

C = TypeVar("C", bound=nn.Cell)

_OBJECTS = 5  # in a picture of 640×640, before anything is learned


def only_cell(net: nn.Cell, kind: type[C]) -> C:
    """The network's cell of that kind: it has one."""
    return next(cell for _, cell in net.cells_and_names() if isinstance(cell, kind))


def strides_of(head: nn.Cell) -> tuple[int, ...]:
    """The strides of the head's levels."""
    return tuple(int(stride) for stride in head.stride.asnumpy())


def distance_loss(
    net: nn.Cell, strides: Sequence[int], request: LossRequest, family: str, *branches: Branch
) -> tuple[nn.Cell, nn.Cell]:
    """The cell to train around `net`, and the loss of what it gives: see `Family.loss`.

    Raises:
        RecipeError: the recipe weighs a part that this loss does not have, or smooths labels.
    """
    refuse_smoothing(request, family)
    weights = weights_of(DistanceWeights(), request, family)
    loss = DistanceLoss(strides, request.size, weights, branches, request.workers)
    return FlatChannels(net, len(branches)), loss


def start_branches(
    boxes: Iterable[nn.Cell], scores: Iterable[nn.Cell], strides: Sequence[int]
) -> None:
    """Bias fresh branches, one of each a level, to what is true before anything is learned.

    About five objects to a picture of 640×640, all classes equally likely, and sides that are
    rather near than far: Ultralytics' figures.
    """
    for box, score, stride in zip(boxes, scores, strides, strict=True):
        _set_bias(box[-1], 1.0)
        classes = score[-1].bias.shape[0]
        _set_bias(score[-1], math.log(_OBJECTS / classes * (stride / 640) ** 2))


def _set_bias(conv: nn.Cell, value: float) -> None:
    conv.bias.set_data(Tensor(np.full(conv.bias.shape, value, np.float32)))
