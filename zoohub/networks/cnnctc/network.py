"""CNN-CTC: a line of text, read by convolutions alone, as the MindSpore models repository has it.

Source: Borisyuk et al., "Rosetta: Large Scale System for Text Detection and Recognition in Images"
(2018), in the form of official/cv/cnnctc of the models repository, whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import BasicBlock, Numerics

_WIDTHS = (128, 256, 512, 512)
_BLOCKS = (1, 2, 5, 3)
_MOMENTUM = 0.1


def _norm(channels: int) -> BatchNorm2d:
    return BatchNorm2d(channels, momentum=_MOMENTUM)


class ConvNet(nn.Cell):
    """ResNet for lines: (B, in_channels, 32, W) -> (B, 512, 1, W / 4 + 1)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv0_1 = conv2d(in_channels, 32, 3)
        self.bn0_1 = _norm(32)
        self.conv0_2 = conv2d(32, 64, 3)
        self.bn0_2 = _norm(64)
        self.halve = nn.MaxPool2d(2, 2)
        self.flatten = nn.MaxPool2d(2, (2, 1))
        width = 64
        for stage, (channels, count) in enumerate(zip(_WIDTHS, _BLOCKS, strict=True), start=1):
            blocks = []
            for _ in range(count):
                blocks.append(BasicBlock(width, channels, 1, Numerics()))
                width = channels
            setattr(self, f"layer{stage}", nn.SequentialCell(blocks))
            if stage < len(_WIDTHS):
                setattr(self, f"conv{stage}", conv2d(width, width, 3))
                setattr(self, f"bn{stage}", _norm(width))
        self.pad = nn.Pad(((0, 0), (0, 0), (0, 0), (2, 2)))
        self.conv4_1 = conv2d(width, width, 2, (2, 1), padding=0)
        self.bn4_1 = _norm(width)
        self.conv4_2 = conv2d(width, width, 2, padding=0)
        self.bn4_2 = _norm(width)

    def construct(self, x: Tensor) -> Tensor:
        x = ops.relu(self.bn0_1(self.conv0_1(x)))
        x = self.halve(ops.relu(self.bn0_2(self.conv0_2(x))))
        x = self.halve(ops.relu(self.bn1(self.conv1(self.layer1(x)))))
        x = self.flatten(ops.relu(self.bn2(self.conv2(self.layer2(x)))))
        x = ops.relu(self.bn3(self.conv3(self.layer3(x))))
        x = ops.relu(self.bn4_1(self.conv4_1(self.pad(self.layer4(x)))))
        return ops.relu(self.bn4_2(self.conv4_2(x)))


class Extraction(nn.Cell):
    """`ConvNet` where the publisher has it."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.ConvNet = ConvNet(in_channels)

    def construct(self, x: Tensor) -> Tensor:
        return self.ConvNet(x)


class CNNCTC(nn.Cell):
    """See `cnnctc`."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.FeatureExtraction = Extraction(in_channels)
        self.Prediction = nn.Dense(_WIDTHS[-1], num_classes)

    def construct(self, x: Tensor) -> Tensor:
        columns = ops.transpose(ops.squeeze(self.FeatureExtraction(x), 2), (0, 2, 1))
        return self.Prediction(columns)


def cnnctc(num_classes: int = 37, in_channels: int = 3) -> CNNCTC:
    """CNN-CTC: float32 (B, in_channels, 32, W) -> logits (B, W / 4 + 1, num_classes).

    Args:
        num_classes: characters, and the blank of connectionist temporal classification.
        in_channels: channels of the picture.
    """
    return CNNCTC(num_classes, in_channels)
