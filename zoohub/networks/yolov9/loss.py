"""The loss of YOLOv9: an auxiliary branch counts a quarter of the main one."""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.distance_loss import Branch
from zoohub.networks.layers.distance_training import (
    distance_loss,
    only_cell,
    start_branches,
    strides_of,
)
from zoohub.networks.yolov9.blocks import DualHead

_AUXILIARY, _MAIN = Branch(weight=0.25), Branch()


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`."""
    strides = strides_of(only_cell(net, DualHead))
    return distance_loss(net, strides, request, "YOLOv9", _AUXILIARY, _MAIN)


def start_head(net: nn.Cell, classes: int, size: tuple[int, int]) -> None:
    """See `start_branches`."""
    head = only_cell(net, DualHead)
    start_branches(head.cv2, head.cv3, strides_of(head))
    start_branches(head.cv4, head.cv5, strides_of(head))
