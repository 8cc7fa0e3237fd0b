"""The loss of YOLOv3: YOLOv5's, with the weights of mindyolo's configuration."""

from __future__ import annotations

from mindspore import nn

from zoohub.networks.family import LossRequest
from zoohub.networks.layers.anchor_loss import AnchorWeights
from zoohub.networks.layers.anchor_training import anchor_loss


def box_loss(net: nn.Cell, request: LossRequest) -> tuple[nn.Cell, nn.Cell]:
    """See `Family.loss`."""
    own = AnchorWeights(objectness=0.7, classes=0.3)
    return anchor_loss(net, request, own, "YOLOv3")
