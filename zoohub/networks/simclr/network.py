"""SimCLR: a ResNet-50 for pictures of 32×32 whose features are learned without labels.

Source: Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations" (2020).
Encoder and projection are those of the MindSpore models repository, with its numerics.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import (
    BottleneckBlock,
    Numerics,
    ResidualNetwork,
    blocks_of,
)

_NUMERICS = Numerics("same", "same", 1e-4, 1e-4)


class Encoder(ResidualNetwork):
    """(B, in_channels, H, W) -> (B, 2048): ResNet-50 with a 3×3 stem and without pooling."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, 64, 3, 1, "same")
        self.bn1 = BatchNorm2d(64, _NUMERICS.outer_bn_eps)
        self.max_pool = nn.Identity()
        self.width = self.add_stages(
            lambda inputs, channels, stride, place: BottleneckBlock(
                inputs, channels, stride, _NUMERICS
            ),
            blocks_of("simclr", 50, (50,)),
            64,
            None,
            stem_strides=(1, 1),
        )

    def head(self, x: Tensor) -> Tensor:
        return ops.mean(x, (2, 3))


class SimCLR(nn.Cell):
    """(B, in_channels, H, W) -> features (B, 2048); in training their projection (B, projected)."""

    def __init__(self, projected: int, in_channels: int) -> None:
        super().__init__()
        self.encoder = Encoder(in_channels)
        self.dense1 = nn.Dense(self.encoder.width, self.encoder.width)
        self.end_point = nn.Dense(self.encoder.width, projected)

    def construct(self, x: Tensor) -> Tensor:
        features = self.encoder(x)
        if not self.training:
            return features
        return self.end_point(ops.relu(self.dense1(features)))


def simclr(projected: int = 128, in_channels: int = 3) -> SimCLR:
    """SimCLR: float32 (B, in_channels, H, W), values 0 to 255 -> features (B, 2048).

    Args:
        projected: size of the projection that is compared in training.
        in_channels: channels of the picture.
    """
    return SimCLR(projected, in_channels)
