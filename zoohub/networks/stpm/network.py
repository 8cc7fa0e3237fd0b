"""STPM: a student learns a teacher's features of good pictures, and fails on defects.

Source: Wang et al., "Student-Teacher Feature Pyramid Matching for Anomaly Detection" (2021). Both
are ResNet-18 with the numerics of the MindSpore models repository; checkpoints hold both, with
their last stage and classifier, which nothing reads.
"""

from __future__ import annotations

from mindspore import Tensor, nn

from zoohub.networks.layers.residual import BasicBlock, Numerics, blocks_of
from zoohub.networks.resnet.network import ResNet


class Pyramid(ResNet):
    """(B, in_channels, H, W) -> stages 1 to 3: (B, 64 · 2^i, H / 2^(i + 2), W / 2^(i + 2))."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        numerics = Numerics("symmetric", "symmetric", 1e-4, 1e-5)
        blocks = blocks_of("stpm", 18, (18,))
        super().__init__(BasicBlock, blocks, num_classes, in_channels, numerics, None)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        stage1 = self.layer1(self.max_pool(self.stem(x)))
        stage2 = self.layer2(stage1)
        return stage1, stage2, self.layer3(stage2)


class STPM(nn.Cell):
    """(B, in_channels, H, W) -> three maps of the student, three of the teacher."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.model_t = Pyramid(num_classes, in_channels)
        self.model_s = Pyramid(num_classes, in_channels)

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        return (*self.model_s(x), *self.model_t(x))


def stpm(num_classes: int = 1000, in_channels: int = 3) -> STPM:
    """STPM: float32 (B, in_channels, H, W) -> six maps, the student's three first.

    The distance of the two at each place, 1 - cosine similarity over the channels, brought to the
    picture's size and multiplied over the three scales, is the map of defects.

    Args:
        num_classes: outputs of the classifiers, which are not read.
        in_channels: channels of the picture.
    """
    return STPM(num_classes, in_channels)
