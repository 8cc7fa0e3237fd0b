"""The loss of YOLOv8 for boxes, one branch of distances, ten cells to a box; and for masks."""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.distance_head import DistanceHead
from zoohub.networks.layers.distance_loss import Branch
from zoohub.networks.layers.distance_training import (
    distance_loss,
    only_cell,
    start_branches,
    strides_of,
)
from zoohub.networks.yolov8.mask_loss import mask_loss
from zoohub.networks.yolov8.masks import MaskHead


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`. Of a network with masks the loss takes the objects' masks too.

    Raises:
        RecipeError: the recipe weighs a part that this loss does not have, or smooths labels.
    """
    head = only_cell(net, DistanceHead)
    if isinstance(head, MaskHead):
        return mask_loss(net, strides_of(head), request)
    return distance_loss(net, strides_of(head), request, "YOLOv8", Branch())


def start_head(net: nn.Cell, classes: int, size: tuple[int, int]) -> None:
    """See `start_branches`."""
    head = only_cell(net, DistanceHead)
    start_branches(head.cv2, head.cv3, strides_of(head))
