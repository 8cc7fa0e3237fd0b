"""The loss of YOLOv10: one branch learns to give many boxes an object, the other to give one.

The second is what is used afterwards: since one cell alone answers for a box, no suppression of
others is needed.
"""

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
from zoohub.networks.yolov10.blocks import TwoHeads

_MANY, _ONE = Branch(best=10), Branch(best=1)


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`."""
    strides = strides_of(only_cell(net, TwoHeads))
    return distance_loss(net, strides, request, "YOLOv10", _MANY, _ONE)


def start_head(net: nn.Cell, classes: int, size: tuple[int, int]) -> None:
    """See `start_branches`."""
    head = only_cell(net, TwoHeads)
    start_branches(head.cv2, head.cv3, strides_of(head))
    start_branches(head.one2one_cv2, head.one2one_cv3, strides_of(head))
