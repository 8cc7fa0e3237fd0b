"""What the detectors with anchors have in common in training: their loss, and a head's start."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from mindspore import Tensor, nn

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.anchor_head import AnchorHead
from zoohub.networks.layers.anchor_loss import AnchorLoss, AnchorWeights
from zoohub.networks.layers.loss_shells import FlatMaps
from zoohub.networks.layers.loss_weights import weights_of

_OBJECTS = 8.0


def head_of(net: nn.Cell) -> AnchorHead:
    """The network's anchor head."""
    return next(cell for _, cell in net.cells_and_names() if isinstance(cell, AnchorHead))


def anchor_weights(
    own: AnchorWeights, head: AnchorHead, request: LossRequest, family: str
) -> AnchorWeights:
    """The family's `own` weights or the recipe's, for the request's size and classes."""
    chosen = weights_of(own, request, family)
    return chosen.scaled(request.size, request.classes, len(head.strides))


def anchor_loss(
    net: nn.Cell, request: LossRequest, own: AnchorWeights, family: str
) -> tuple[nn.Cell, nn.Cell]:
    """The cell to train around `net`, and the loss of what it gives: see `Family.loss`.

    Raises:
        RecipeError: the recipe weighs a part that this loss does not have.
    """
    head = head_of(net)
    loss = AnchorLoss(
        head.anchors.asnumpy(),
        head.strides,
        request.size,
        anchor_weights(own, head, request, family),
        request.label_smoothing,
        request.workers,
    )
    return FlatMaps(net), loss


def start_head(net: nn.Cell, classes: int, size: tuple[int, int]) -> None:
    """See `start_convolutions`."""
    head = head_of(net)
    start_convolutions(head.m, head.strides, head.per_cell, classes, size)


def start_convolutions(
    convs: Iterable[nn.Cell],
    strides: Sequence[float],
    per_cell: int,
    classes: int,
    size: tuple[int, int],
) -> None:
    """Bias a fresh head's convolutions to what is true before anything is learned: boxes are rare.

    About eight boxes to a picture of 640×640, and `classes` equally likely classes, as in
    YOLOv5 (Lin et al. 2017, section 3.3). A convolution gives `per_cell` times 5 + `classes`.
    """
    area = size[0] * size[1] / (640 * 640)
    for conv, stride in zip(convs, strides, strict=True):
        cells = size[0] * size[1] / stride**2
        bias = conv.bias.asnumpy().reshape(per_cell, -1).copy()
        bias[:, 4] = math.log(max(1e-4, _OBJECTS * max(area, 1e-2)) / cells)
        bias[:, 5:] = math.log(0.6 / (classes - 0.99))
        conv.bias.set_data(Tensor(bias.reshape(-1)))
