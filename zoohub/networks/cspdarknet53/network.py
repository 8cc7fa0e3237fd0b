"""CSPDarknet-53 as a classifier: the backbone that the models repository starts YOLOv4 from.

Source: Wang et al., "CSPNet: A New Backbone that can Enhance Learning Capability of CNN" (2019), in
the form of the models repository (official/cv/cspdarknet53), whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.yolov4_zoo.network import CSPDarknet53


class Head(nn.Cell):
    """(B, channels, H, W) -> logits (B, num_classes)."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Dense(channels, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        return self.fc(ops.mean(x, (2, 3)))


class Classifier(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes)."""

    def __init__(self, num_classes: int, in_channels: int, base_channels: int) -> None:
        super().__init__()
        self.backbone = CSPDarknet53(in_channels, base_channels)
        self.head = Head(32 * base_channels, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        _, _, coarse = self.backbone(x)
        return self.head(coarse)


def cspdarknet53(
    num_classes: int = 1000, in_channels: int = 3, base_channels: int = 32
) -> Classifier:
    """CSPDarknet-53: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: classes.
        in_channels: channels of the picture.
        base_channels: of the first convolution; every level down has twice as many.
    """
    return Classifier(num_classes, in_channels, base_channels)
