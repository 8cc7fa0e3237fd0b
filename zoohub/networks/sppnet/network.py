"""SPPNet, and ZFNet, which it grew from.

Sources: He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks for Visual Recognition"
(2014); Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (2013). Parameter
names are those of the models repository's research/cv/SPPNet.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeNormal

from zoohub.networks.layers.conv import conv2d

_LEVELS = (6, 3, 2, 1)
_HIDDEN = 4096
# Height and width of the last map, by the picture's.
_PIXELS = {224: 13, 180: 10}


class LocalResponseNorm(nn.Cell):
    """x / sqrt(1 + sum of squares over the five channels on either side and its own).

    (B, channels, H, W) -> the same shape. The sum is a 1×1 convolution with a constant weight, so
    that it exports everywhere.
    """

    def __init__(self, channels: int, radius: int = 5) -> None:
        super().__init__()
        places = np.arange(channels)
        near = np.abs(places[:, None] - places) <= radius
        self.near = Tensor(near.astype(np.float32).reshape(channels, channels, 1, 1))
        self.conv = ops.Conv2D(channels, (1, 1))

    def construct(self, x: Tensor) -> Tensor:
        return x / ops.sqrt(self.conv(ops.square(x), self.near) + 1.0)


class PyramidPool(nn.Cell):
    """(B, C, pixels, pixels) -> (B, 50 · C): the maxima of 6×6, 3×3, 2×2 and 1×1 fields."""

    def __init__(self, pixels: int) -> None:
        super().__init__()
        # Fields of 6×6 do not divide 10 pixels: the publisher pads there.
        self.pad = nn.Pad(((0, 0), (0, 0), (1, 1), (1, 1))) if pixels == 10 else None
        pools = []
        for level in _LEVELS[:-1]:
            if self.pad is not None and level == _LEVELS[0]:
                pools.append(nn.MaxPool2d(2, 2, pad_mode="valid"))
            else:
                pools.append(nn.MaxPool2d(-(-pixels // level), pixels // level, pad_mode="valid"))
        self.finest, self.middle, self.coarse = pools

    def construct(self, x: Tensor) -> Tensor:
        padded = x if self.pad is None else self.pad(x)
        parts = (
            ops.flatten(self.finest(padded)),
            ops.flatten(self.middle(x)),
            ops.flatten(self.coarse(x)),
            ops.amax(x, (2, 3)),
        )
        return ops.concat(parts, 1)


class SPPNet(nn.Cell):
    """(B, in_channels, image_size, image_size) -> logits (B, num_classes)."""

    def __init__(
        self, pool: nn.Cell, pooled: int, num_classes: int, in_channels: int, dropout: float
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(
            in_channels, 96, 7, 2, padding="same", bias=True, weight_init=HeNormal()
        )
        self.conv2 = conv2d(96, 256, 5, 2, padding="same", bias=True, weight_init=HeNormal())
        self.conv3 = conv2d(256, 384, 3, bias=True, weight_init=HeNormal())
        self.conv4 = conv2d(384, 384, 3, bias=True, weight_init=HeNormal())
        self.conv5 = conv2d(384, 256, 3, bias=True, weight_init=HeNormal())
        self.norm1 = LocalResponseNorm(96)
        self.norm2 = LocalResponseNorm(256)
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="valid")
        self.last_pool = pool
        self.fc1 = nn.Dense(256 * pooled, _HIDDEN)
        self.fc2 = nn.Dense(_HIDDEN, _HIDDEN)
        self.fc3 = nn.Dense(_HIDDEN, num_classes)
        self.dropout = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        x = self.max_pool(self.norm1(ops.relu(self.conv1(x))))
        x = self.max_pool(self.norm2(ops.relu(self.conv2(x))))
        x = ops.relu(self.conv4(ops.relu(self.conv3(x))))
        x = self.last_pool(ops.relu(self.conv5(x)))
        x = self.dropout(ops.relu(self.fc1(x)))
        return self.fc3(self.dropout(ops.relu(self.fc2(x))))


def sppnet(
    pyramid: bool = True,
    image_size: int = 224,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.41,
) -> SPPNet:
    """SPPNet: float32 (B, in_channels, image_size, image_size) -> logits (B, num_classes).

    Args:
        pyramid: pool by a pyramid of fields (SPPNet); else by 3×3 windows (ZFNet).
        image_size: 224, or 180 with the pyramid; the parameters are the same.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the hidden features set to zero in training.

    Raises:
        ValueError: another size.
    """
    if image_size not in _PIXELS or (image_size != 224 and not pyramid):
        raise ValueError(
            f"sppnet takes pictures of 224 pixels, or 180 with its pyramid, not {image_size}"
        )
    if pyramid:
        pooled = sum(level**2 for level in _LEVELS)
        return SPPNet(PyramidPool(_PIXELS[image_size]), pooled, num_classes, in_channels, dropout)
    pool = nn.SequentialCell([nn.MaxPool2d(3, 2, pad_mode="valid"), nn.Flatten()])
    return SPPNet(pool, 36, num_classes, in_channels, dropout)
