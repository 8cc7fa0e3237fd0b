"""Whether a line of text stands on its head, as MindOCR publishes it: MobileNetV3 and a new head.

Source: Howard et al., "Searching for MobileNetV3" (2019). Parameter names are those of MindOCR.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.widths import make_divisible
from zoohub.networks.mobilenet_v3.network import DenseHead, mobilenet_v3

_HIDDEN = 1024


class Head(nn.Cell):
    """(B, C, H, W) -> probabilities (B, num_classes), in training logits."""

    def __init__(self, channels: int, num_classes: int, width: float, dropout: float) -> None:
        super().__init__()
        self.pool = GlobalAvgPool()
        hidden = make_divisible(_HIDDEN * width)
        self.classifier = DenseHead(channels, hidden, num_classes, dropout)

    def construct(self, x: Tensor) -> Tensor:
        logits = self.classifier(self.pool(x))
        return logits if self.training else ops.softmax(logits, 1)


class TextDirection(nn.Cell):
    """See `cls_mobilenetv3`."""

    def __init__(
        self, num_classes: int, size: str, width: float, in_channels: int, dropout: float
    ) -> None:
        super().__init__()
        # Published files hold its classifier of ImageNet too, which is not asked.
        self.backbone = mobilenet_v3(size, width, in_channels=in_channels)
        channels = self.backbone.classifier[0].in_channels
        self.head = Head(channels, num_classes, width, dropout)

    def construct(self, x: Tensor) -> Tensor:
        return self.head(self.backbone.features(x))


def cls_mobilenetv3(
    num_classes: int = 2,
    size: str = "small",
    width: float = 1.0,
    in_channels: int = 3,
    dropout: float = 0.2,
) -> TextDirection:
    """The angle classifier: float32 (B, in_channels, H, W) -> probabilities (B, num_classes).

    Class 0 is upright, class 1 turned by 180 degrees. In training mode logits.

    Args:
        num_classes: angles.
        size: of MobileNetV3: "small" or "large".
        width: multiplier of the channels.
        in_channels: channels of the picture.
        dropout: share of the head's hidden features set to zero in training.

    Raises:
        ValueError: an unknown size.
    """
    return TextDirection(num_classes, size, width, in_channels, dropout)
