"""The loss of the first YOLOv5: that of the models repository's YOLOv4, weighed otherwise.

A box counts four times its lack of overlap (twice `box`, see `exponential_loss`), and the finest
level for a fifth.
"""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.distance_training import only_cell
from zoohub.networks.layers.exponential_loss import exponential_loss
from zoohub.networks.layers.fraction_head import FractionDetector

_BALANCE = (1.0, 1.0, 0.2)  # of the levels, from coarse to fine: official/cv/yolov5, src/yolo.py


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`."""
    levels = only_cell(net, FractionDetector).levels
    return exponential_loss(net, levels, request, "the first YOLOv5", _BALANCE)
