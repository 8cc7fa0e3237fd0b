"""AlexNet, in the narrower version of the MindSpore models repository.

Source: Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks" (2012),
without groups and local response norms, with 64 to 256 channels. Parameter names are those of
official/cv/alexnet, whose network also normalises its pictures (`raw_input`).
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeNormal

from zoohub.networks.layers.conv import conv2d

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as shares of 255
_PIXELS = 6  # height and width of the last map for pictures of 227 (or 224) pixels
_HIDDEN = 4096


class Normalise(nn.Cell):
    """(B, H, W, 3) from 0 to 255 -> (B, 3, H, W) with ImageNet's mean 0 and deviation 1."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = Tensor(np.array(_MEAN, np.float32) * 255)
        self.std = Tensor(np.array(_STD, np.float32) * 255)

    def construct(self, x: Tensor) -> Tensor:
        return ops.transpose((x - self.mean) / self.std, (0, 3, 1, 2))


class AlexNet(nn.Cell):
    """(B, in_channels, 227, 227) -> logits (B, num_classes)."""

    def __init__(
        self, num_classes: int, in_channels: int, dropout: float, normalise: nn.Cell | None
    ) -> None:
        super().__init__()
        self.normalise = normalise
        self.conv1 = conv2d(
            in_channels, 64, 11, 4, padding="same", bias=True, weight_init=HeNormal()
        )
        self.conv2 = conv2d(64, 128, 5, bias=True, weight_init=HeNormal())
        self.conv3 = conv2d(128, 192, 3, bias=True, weight_init=HeNormal())
        self.conv4 = conv2d(192, 256, 3, bias=True, weight_init=HeNormal())
        self.conv5 = conv2d(256, 256, 3, bias=True, weight_init=HeNormal())
        self.pool = nn.MaxPool2d(3, 2, pad_mode="valid")
        self.fc1 = nn.Dense(256 * _PIXELS**2, _HIDDEN)
        self.fc2 = nn.Dense(_HIDDEN, _HIDDEN)
        self.fc3 = nn.Dense(_HIDDEN, num_classes)
        self.dropout = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        if self.normalise is not None:
            x = self.normalise(x)
        x = self.pool(ops.relu(self.conv1(x)))
        x = self.pool(ops.relu(self.conv2(x)))
        x = ops.relu(self.conv4(ops.relu(self.conv3(x))))
        x = ops.flatten(self.pool(ops.relu(self.conv5(x))))
        x = self.dropout(ops.relu(self.fc1(x)))
        return self.fc3(self.dropout(ops.relu(self.fc2(x))))


def alexnet(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.35,
    raw_input: bool = False,
) -> AlexNet:
    """AlexNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the hidden features set to zero in training.
        raw_input: pictures are (B, H, W, 3) from 0 to 255, and the network normalises them; else
            they come normalised, with the channels first. 224 to 231 pixels wide and high.
    """
    return AlexNet(num_classes, in_channels, dropout, Normalise() if raw_input else None)
