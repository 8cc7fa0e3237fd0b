"""SphereFace's 20-layer network, as the MindSpore models repository publishes it.

Source: Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition" (2017), in the
form of the models repository (official/cv/sphereface), whose parameter names these are.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import XavierUniform, initializer

from zoohub.networks.layers.conv import conv2d

_UNITS = (1, 2, 4, 1)  # residual pairs of each stage, after the convolution that halves the size


class Angles(nn.Cell):
    """Features (B, C) -> their length times the cosine to each class (B, num_classes)."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.weight = Parameter(initializer(XavierUniform(), (channels, num_classes)), "weight")

    def construct(self, x: Tensor) -> Tensor:
        directions = self.weight / ops.sqrt(ops.square(self.weight).sum(0, keepdims=True) + 1e-12)
        return ops.matmul(x, directions)


class SphereFace(nn.Cell):
    """(B, in_channels, H, W) -> features (B, 512); in training mode what `Angles` says of them."""

    def __init__(self, num_classes: int, in_channels: int, image_size: tuple[int, int]) -> None:
        super().__init__()
        width = in_channels
        for stage, units in enumerate(_UNITS, start=1):
            channels = 64 * 2 ** (stage - 1)
            for place in range(1, 2 * units + 2):
                conv = conv2d(width, channels, 3, 2 if place == 1 else 1)
                setattr(self, f"conv{stage}_{place}", conv)
                setattr(self, f"relu{stage}_{place}", nn.PReLU(channels))
                width = channels
        height, breadth = (-(-side // 16) for side in image_size)
        self.fc5 = nn.Dense(width * height * breadth, 512)
        self.fc6 = Angles(512, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = self.relu1_1(self.conv1_1(x))
        x = x + self.relu1_3(self.conv1_3(self.relu1_2(self.conv1_2(x))))
        x = self.relu2_1(self.conv2_1(x))
        x = x + self.relu2_3(self.conv2_3(self.relu2_2(self.conv2_2(x))))
        x = x + self.relu2_5(self.conv2_5(self.relu2_4(self.conv2_4(x))))
        x = self.relu3_1(self.conv3_1(x))
        x = x + self.relu3_3(self.conv3_3(self.relu3_2(self.conv3_2(x))))
        x = x + self.relu3_5(self.conv3_5(self.relu3_4(self.conv3_4(x))))
        x = x + self.relu3_7(self.conv3_7(self.relu3_6(self.conv3_6(x))))
        x = x + self.relu3_9(self.conv3_9(self.relu3_8(self.conv3_8(x))))
        x = self.relu4_1(self.conv4_1(x))
        x = x + self.relu4_3(self.conv4_3(self.relu4_2(self.conv4_2(x))))
        features = self.fc5(ops.flatten(x))
        return self.fc6(features) if self.training else features


def sphereface(
    num_classes: int = 20000, in_channels: int = 3, image_size: tuple[int, int] = (112, 96)
) -> SphereFace:
    """SphereFace-20: float32 (B, in_channels, H, W) of aligned faces -> features (B, 512).

    In training mode the features' length times the cosine to each of `num_classes` identities.

    Args:
        num_classes: identities of the training's head.
        in_channels: channels of the picture.
        image_size: (height, width), which fixes the last layer's width.
    """
    return SphereFace(num_classes, in_channels, image_size)
