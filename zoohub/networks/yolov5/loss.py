"""The loss of YOLOv5."""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.anchor_loss import AnchorWeights
from zoohub.networks.layers.anchor_training import anchor_loss


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`."""
    return anchor_loss(net, request, AnchorWeights(), "YOLOv5")
