"""The loss of YOLOv4."""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.anchor_training import start_convolutions
from zoohub.networks.layers.distance_training import only_cell
from zoohub.networks.layers.exponential_loss import exponential_loss
from zoohub.networks.yolov4.network import ExponentialHead


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`."""
    levels = only_cell(net, ExponentialHead).box_decoding().levels
    return exponential_loss(net, levels, request, "YOLOv4")


def start_head(net: nn.Cell, classes: int, size: tuple[int, int]) -> None:
    """See `start_convolutions`."""
    head = only_cell(net, ExponentialHead)
    levels = head.box_decoding().levels
    strides, per_cell = [level.stride for level in levels], len(levels[0].anchors)
    start_convolutions(head.m, strides, per_cell, classes, size)
