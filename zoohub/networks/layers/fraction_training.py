"""What the models repository's YOLOs are trained with: YOLOv4's loss, over their own anchors.

Its YOLOv4 has this loss; its YOLOv3s were trained with the same rule of who answers for a box, and
squares of the box's parts where this has the boxes' overlap.
"""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.anchor_training import start_convolutions
from zoohub.networks.layers.distance_training import only_cell
from zoohub.networks.layers.exponential_loss import exponential_loss
from zoohub.networks.layers.fraction_head import PER_CELL, FractionDetector


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`."""
    detector = only_cell(net, FractionDetector)
    return exponential_loss(net, detector.levels, request, "this YOLO")


def start_head(net: nn.Cell, classes: int, size: tuple[int, int]) -> None:
    """See `start_convolutions`."""
    detector = only_cell(net, FractionDetector)
    strides = [level.stride for level in detector.levels]
    convs = detector.feature_map.output_convs()
    start_convolutions(convs, strides, PER_CELL, classes, size)
