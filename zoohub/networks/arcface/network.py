"""ArcFace's residual network, as the MindSpore models repository publishes it.

Source: Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition" (2019), in
the form of the models repository (research/cv/arcface), whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.face_block import BLOCKS_PER_STAGE, FaceBranch
from zoohub.networks.layers.norm import BatchNorm2d

FEATURES = 512


class Block(FaceBranch):
    """The branch, added to its input or to a 1×1 convolution of it."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__(in_channels, channels, stride, parametric=True)
        self.downsample: nn.Cell | None = None
        if stride != 1:
            conv = conv2d(in_channels, channels, 1, stride)
            self.downsample = nn.SequentialCell([conv, BatchNorm2d(channels)])

    def construct(self, x: Tensor) -> Tensor:
        return self.branch(x) + (x if self.downsample is None else self.downsample(x))


def stage(in_channels: int, channels: int, count: int) -> nn.SequentialCell:
    """Blocks of which the first halves the size."""
    blocks = [Block(in_channels, channels, 2)]
    return nn.SequentialCell([*blocks, *(Block(channels, channels, 1) for _ in range(count - 1))])


class ArcFace(nn.Cell):
    """(B, in_channels, H, W) -> features (B, 512)."""

    def __init__(self, depth: int, in_channels: int, image_size: int) -> None:
        super().__init__()
        counts = BLOCKS_PER_STAGE[depth]
        self.conv1 = conv2d(in_channels, 64, 3)
        self.bn1 = BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        self.layer1 = stage(64, 64, counts[0])
        self.layer2 = stage(64, 128, counts[1])
        self.layer3 = stage(128, 256, counts[2])
        self.layer4 = stage(256, 512, counts[3])
        self.bn2 = BatchNorm2d(512)
        self.fc = nn.Dense(512 * (image_size // 16) ** 2, FEATURES)
        self.features = nn.BatchNorm1d(FEATURES)
        self.features.gamma.requires_grad = False

    def construct(self, x: Tensor) -> Tensor:
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.features(self.fc(ops.flatten(self.bn2(x))))


def arcface(depth: int = 100, in_channels: int = 3, image_size: int = 112) -> ArcFace:
    """ArcFace: float32 (B, in_channels, H, W) of aligned faces in -1..1 -> features (B, 512).

    Args:
        depth: 18, 34, 50, 100 or 200.
        in_channels: channels of the picture.
        image_size: height and width, which fix the last layer's width.

    Raises:
        ValueError: an unknown depth.
    """
    if depth not in BLOCKS_PER_STAGE:
        raise ValueError(f"arcface has depths {list(BLOCKS_PER_STAGE)}, not {depth}")
    return ArcFace(depth, in_channels, image_size)
