"""The face recogniser of the MindSpore models repository (research/cv/FaceRecognition).

Source: Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition" (2019), in a
form without norms before the convolutions, whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.face_block import BLOCKS_PER_STAGE, FaceBranch
from zoohub.networks.layers.norm import BatchNorm2d


class Shortcut(nn.Cell):
    """A 1×1 convolution that halves the size, and batch norm."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, channels, 1, 2)
        self.bn1 = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        return self.bn1(self.conv1(x))


class Stage(nn.Cell):
    """Residual blocks; the first halves the size and has a shortcut."""

    def __init__(self, in_channels: int, channels: int, count: int) -> None:
        super().__init__()
        self.downsample = Shortcut(in_channels, channels)
        first = FaceBranch(in_channels, channels, 2, parametric=False)
        rest = [FaceBranch(channels, channels, 1, parametric=False) for _ in range(count - 1)]
        self.layers = nn.CellList([first, *rest])

    def construct(self, x: Tensor) -> Tensor:
        for index, branch in enumerate(self.layers):
            x = branch(x) + (self.downsample(x) if index == 0 else x)
        return x


class Head(nn.Cell):
    """(B, C, H, W) -> (B, 512)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Dense(channels, 512)

    def construct(self, x: Tensor) -> Tensor:
        return self.fc1(ops.flatten(x))


class FaceRecognition(nn.Cell):
    """(B, in_channels, H, W) -> features (B, 512)."""

    def __init__(self, depth: int, in_channels: int, image_size: int) -> None:
        super().__init__()
        counts = BLOCKS_PER_STAGE[depth]
        self.conv1 = conv2d(in_channels, 64, 3)
        self.bn1 = BatchNorm2d(64)
        self.layer1 = Stage(64, 64, counts[0])
        self.layer2 = Stage(64, 128, counts[1])
        self.layer3 = Stage(128, 256, counts[2])
        self.layer4 = Stage(256, 512, counts[3])
        self.head = Head(512 * (image_size // 16) ** 2)

    def construct(self, x: Tensor) -> Tensor:
        x = ops.relu(self.bn1(self.conv1(x)))
        return self.head(self.layer4(self.layer3(self.layer2(self.layer1(x)))))


def facerecognition(
    depth: int = 100, in_channels: int = 3, image_size: int = 112
) -> FaceRecognition:
    """Face recogniser: float32 (B, in_channels, H, W) in -1..1 -> features (B, 512).

    Args:
        depth: 18, 34, 50, 100 or 200.
        in_channels: channels of the picture.
        image_size: height and width, which fix the last layer's width.

    Raises:
        ValueError: an unknown depth.
    """
    if depth not in BLOCKS_PER_STAGE:
        raise ValueError(f"facerecognition has depths {list(BLOCKS_PER_STAGE)}, not {depth}")
    return FaceRecognition(depth, in_channels, image_size)
