"""CRNN: a line of text, read column by column, as MindOCR publishes it.

Source: Shi et al., "An End-to-End Trainable Neural Network for Image-based Sequence Recognition"
(2015). Parameter names are those of MindOCR.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.crnn.backbones import CHANNELS, VGG7, Columns, ResNet34, scaled
from zoohub.networks.crnn.family import SIDES
from zoohub.networks.layers.sized import SizedNetwork

_BACKBONES = {"vgg7": VGG7, "resnet34": ResNet34}


class Head(nn.Cell):
    """(W, B, in_channels) -> probabilities (B, W, num_classes), in training logits by step."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.dense1 = nn.Dense(in_channels, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        logits = self.dense1(x)
        if self.training:
            return logits
        return ops.transpose(ops.softmax(logits, 2), (1, 0, 2))


class CRNN(SizedNetwork):
    """See `crnn`."""

    def __init__(self, backbone: nn.Cell, channels: int, hidden: int, num_classes: int) -> None:
        super().__init__("crnn", SIDES)
        self.backbone = backbone
        self.neck = Columns(channels, hidden)
        self.head = Head(2 * hidden, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        return self.head(self.neck(self.backbone(x)))


def crnn(
    backbone: str = "resnet34",
    num_classes: int = 37,
    hidden: int = 256,
    in_channels: int = 3,
    width: float = 1.0,
) -> CRNN:
    """CRNN: float32 (B, in_channels, 32, W) -> probabilities (B, steps, num_classes).

    There is a step for every four columns, of VGG-7 one fewer; the blank of connectionist temporal
    classification is a class. In training mode logits (steps, B, num_classes).

    Args:
        backbone: "resnet34" or "vgg7".
        num_classes: characters, and the blank.
        hidden: states of each LSTM in each direction.
        in_channels: channels of the picture.
        width: how many times as many channels the backbone has as published.

    Raises:
        ValueError: an unknown backbone.
    """
    if backbone not in _BACKBONES:
        raise ValueError(f"crnn has backbones {', '.join(_BACKBONES)}, not {backbone!r}")
    seen = _BACKBONES[backbone](in_channels, width)
    return CRNN(seen, scaled(CHANNELS, width), hidden, num_classes)
