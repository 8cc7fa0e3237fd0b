"""The network that ReNAS found.

Source: Xu et al., "ReNAS: Relativistic Evaluation of Neural Architecture Search" (2021), in the
space of NAS-Bench-101. Parameter names are those of the models repository's research/cv/renas.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

_CHANNELS, _CELLS = 128, 3


class SearchedCell(nn.Cell):
    """(B, 128, H, W) -> the same shape: three 3×3 convolutions and a pooling, joined in pairs."""

    def __init__(self) -> None:
        super().__init__()
        half = _CHANNELS // 2
        self.conv3x3_1 = conv2d(_CHANNELS, _CHANNELS, 3)
        self.bn3x3_1 = BatchNorm2d(_CHANNELS)
        self.conv3x3_2 = conv2d(_CHANNELS, _CHANNELS, 3)
        self.bn3x3_2 = BatchNorm2d(_CHANNELS)
        self.conv3x3_3 = conv2d(_CHANNELS, _CHANNELS, 3)
        self.bn3x3_3 = BatchNorm2d(_CHANNELS)
        self.pool = nn.MaxPool2d(3, 1, pad_mode="same")
        self.proj1 = conv2d(_CHANNELS, half, 1)
        self.bn1 = BatchNorm2d(half)
        self.proj2 = conv2d(_CHANNELS, half, 1)
        self.bn2 = BatchNorm2d(half)
        self.proj3 = conv2d(_CHANNELS, half, 1)
        self.bn3 = BatchNorm2d(half)
        self.proj4 = conv2d(_CHANNELS, half, 1)
        self.bn4 = BatchNorm2d(half)
        self.proj5 = conv2d(_CHANNELS, half, 1)
        self.bn5 = BatchNorm2d(half)
        self.proj6 = conv2d(_CHANNELS, half, 1)
        self.bn6 = BatchNorm2d(half)

    def construct(self, x: Tensor) -> Tensor:
        pooled = ops.relu(self.bn1(self.proj1(self.pool(x))))
        y = ops.concat((pooled, ops.relu(self.bn2(self.proj2(x)))), 1)
        y = ops.relu(self.bn3(self.proj3(ops.relu(self.bn3x3_1(self.conv3x3_1(y))))))
        y = ops.concat((y, ops.relu(self.bn4(self.proj4(x)))), 1)
        y = ops.relu(self.bn5(self.proj5(ops.relu(self.bn3x3_2(self.conv3x3_2(y))))))
        z = ops.relu(self.bn6(self.proj6(ops.relu(self.bn3x3_3(self.conv3x3_3(x))))))
        return ops.concat((y, z), 1)


class ReNAS(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes); made for pictures of 32 pixels."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, _CHANNELS, 3)
        self.bn1 = BatchNorm2d(_CHANNELS)
        self.block1 = nn.SequentialCell([SearchedCell() for _ in range(_CELLS)])
        self.block2 = nn.SequentialCell([SearchedCell() for _ in range(_CELLS)])
        self.block3 = nn.SequentialCell([SearchedCell() for _ in range(_CELLS)])
        self.max_pool = nn.MaxPool2d(2, 2, pad_mode="valid")
        self.average = GlobalAvgPool()
        self.linear = nn.Dense(_CHANNELS, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = self.block1(ops.relu(self.bn1(self.conv1(x))))
        x = self.block3(self.max_pool(self.block2(self.max_pool(x))))
        return self.linear(self.average(x))


def renas(num_classes: int = 10, in_channels: int = 3) -> ReNAS:
    """ReNAS: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
    """
    return ReNAS(num_classes, in_channels)
