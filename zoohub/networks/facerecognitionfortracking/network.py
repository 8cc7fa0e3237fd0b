"""Faces told apart for tracking (research/cv/FaceRecognitionForTracking of the models repository).

Source: Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition" (2017), a 12-layer
form with batch norms, whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

# Depth: residual blocks of each stage, channels of the first.
_DEPTHS = {
    12: ((1, 1, 1, 1), 16),
    20: ((1, 2, 4, 1), 64),
    36: ((2, 4, 4, 2), 32),
    64: ((3, 7, 16, 3), 64),
}
_FEATURES = 128


class Block(nn.Cell):
    """Two 3×3 convolutions, rectified before they are added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = conv2d(channels, channels, 3)
        self.bn1 = BatchNorm2d(channels)
        self.conv2 = conv2d(channels, channels, 3)
        self.bn2 = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        return ops.relu(self.bn2(self.conv2(y))) + x


class Stage(nn.Cell):
    """A 3×3 convolution that halves the size, then blocks."""

    def __init__(self, in_channels: int, channels: int, count: int) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, channels, 3, 2, bias=True)
        self.bn = BatchNorm2d(channels)
        self.layers = nn.CellList([Block(channels) for _ in range(count)])

    def construct(self, x: Tensor) -> Tensor:
        x = ops.relu(self.bn(self.conv(x)))
        for block in self.layers:
            x = block(x)
        return x


class TrackingNet(nn.Cell):
    """(B, in_channels, H, W) -> features (B, 128) of length 1."""

    def __init__(
        self, depth: int, in_channels: int, image_size: tuple[int, int], ascend: bool
    ) -> None:
        super().__init__()
        counts, width = _DEPTHS[depth]
        self.layer1 = Stage(in_channels, width, counts[0])
        self.layer2 = Stage(width, 2 * width, counts[1])
        self.layer3 = Stage(2 * width, 4 * width, counts[2])
        self.layer4 = Stage(4 * width, 8 * width, counts[3])
        cells = (image_size[0] // 16) * (image_size[1] // 16)
        self.fc = nn.Dense(8 * width * cells, _FEATURES)
        # Files hold both norms, and the device decides which of them learns.
        self.last_bn = nn.BatchNorm1d(_FEATURES)
        self.last_bn_sub = BatchNorm2d(_FEATURES)
        self.ascend = ascend

    def construct(self, x: Tensor) -> Tensor:
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = self.fc(ops.flatten(x))
        if self.ascend:
            x = self.last_bn(x)
        else:
            x = ops.flatten(self.last_bn_sub(ops.reshape(x, (-1, _FEATURES, 1, 1))))
        length = ops.sqrt(ops.maximum(ops.square(x).sum(1, keepdims=True), 1e-4))
        return x / length


def facerecognitionfortracking(
    depth: int = 12,
    in_channels: int = 3,
    image_size: tuple[int, int] = (96, 64),
    ascend: bool = False,
) -> TrackingNet:
    """Faces for tracking: float32 (B, in_channels, H, W) in -1..1 -> features (B, 128) of length 1.

    Args:
        depth: 12, 20, 36 or 64.
        in_channels: channels of the picture.
        image_size: (height, width), which fixes the last layer's width.
        ascend: use the last norm that training on Ascend uses, not the one of other devices.

    Raises:
        ValueError: an unknown depth.
    """
    if depth not in _DEPTHS:
        raise ValueError(f"facerecognitionfortracking has depths {list(_DEPTHS)}, not {depth}")
    return TrackingNet(depth, in_channels, image_size, ascend)
