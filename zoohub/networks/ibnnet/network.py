"""IBN-Net: half of some blocks' channels are normalised picture by picture.

Source: Pan et al., "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net"
(2018), the form "IBN-a". Parameter names are those of the MindSpore models repository.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import (
    BottleneckBlock,
    Numerics,
    Place,
    ResidualNetwork,
    blocks_of,
    classifier,
)

DEPTHS = (50, 101, 152)


class InstanceNorm(nn.Cell):
    """Each channel of each picture brought to mean 0 and variance 1, then scaled and shifted.

    (B, C, H, W) -> the same shape.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gamma = Parameter(initializer("ones", (channels,)), name="gamma")
        self.beta = Parameter(initializer("zeros", (channels,)), name="beta")

    def construct(self, x: Tensor) -> Tensor:
        x = x - ops.mean(x, (2, 3), True)
        x = x / ops.sqrt(ops.mean(ops.square(x), (2, 3), True) + self.eps)
        return x * ops.reshape(self.gamma, (-1, 1, 1)) + ops.reshape(self.beta, (-1, 1, 1))


class InstanceBatchNorm(nn.Cell):
    """Instance norm on the first half of the channels, batch norm on the rest."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.half = channels // 2
        self.IN = InstanceNorm(self.half)
        self.BN = BatchNorm2d(channels - self.half)

    def construct(self, x: Tensor) -> Tensor:
        return ops.concat((self.IN(x[:, : self.half]), self.BN(x[:, self.half :])), 1)


def _block(inputs: int, channels: int, stride: int, place: Place) -> nn.Cell:
    block = BottleneckBlock(inputs, channels, stride, Numerics("same"))
    if place.stage < 3:
        block.bn1 = InstanceBatchNorm(channels)
    return block


class IBNNet(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depth: int,
        num_classes: int,
        in_channels: int,
        pool: nn.Cell,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, 64, 7, 2)
        self.bn1 = BatchNorm2d(64)
        self.max_pool = pool
        width = self.add_stages(_block, blocks_of("ibnnet", depth, DEPTHS), 64, out_indices)
        if out_indices is None:
            self.fc = classifier(width, num_classes)

    def head(self, x: Tensor) -> Tensor:
        return self.fc(ops.mean(x, (2, 3)))


def ibnnet(
    depth: int = 50,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> IBNNet:
    """IBN-Net: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 50, 101 or 152.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32).

    Raises:
        ValueError: an unknown depth or feature index.
    """
    indices = check_out_indices(out_indices, 5) if features_only else None
    return IBNNet(depth, num_classes, in_channels, Numerics().stem_pool(), indices)
