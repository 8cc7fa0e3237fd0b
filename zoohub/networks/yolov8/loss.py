"""The loss of YOLOv8 for boxes: one branch of distances, ten cells to a box."""

from __future__ import annotations

from mindspore import nn

from zoohub.errors import DataError
from zoohub.networks.family import LossRequest
from zoohub.networks.layers.distance_head import DistanceHead
from zoohub.networks.layers.distance_loss import Branch
from zoohub.networks.layers.distance_training import (
    distance_loss,
    only_cell,
    start_branches,
    strides_of,
)
from zoohub.networks.yolov8.masks import MaskHead


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`. Raises DataError: the network gives masks, for which it has no loss."""
    head = only_cell(net, DistanceHead)
    if isinstance(head, MaskHead):
        raise DataError(
            "YOLOv8 with masks cannot be trained: data for detection has boxes alone; "
            "train a size without masks, such as yolov8x"
        )
    return distance_loss(net, strides_of(head), request, "YOLOv8", Branch())


def start_head(net: nn.Cell, classes: int, size: tuple[int, int]) -> None:
    """See `start_branches`."""
    head = only_cell(net, DistanceHead)
    start_branches(head.cv2, head.cv3, strides_of(head))
