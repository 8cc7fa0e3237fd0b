"""The residual branch of networks for faces.

Source: Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition" (2019); names
are those of the MindSpore models repository.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

BLOCKS_PER_STAGE = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 14, 3),
    100: (3, 13, 30, 3),
    200: (6, 26, 60, 6),
}


class FaceBranch(nn.Cell):
    """Norm, 3×3, norm, activation, 3×3 with the stride, norm; nothing is added yet.

    (B, in_channels, H, W) -> (B, channels, H / stride, W / stride). Without `parametric` there is
    no first norm, and the activation is a ReLU instead of a PReLU.
    """

    def __init__(self, in_channels: int, channels: int, stride: int, parametric: bool) -> None:
        super().__init__()
        self.parametric = parametric
        if parametric:
            self.bn1 = BatchNorm2d(in_channels)
        self.conv1 = conv2d(in_channels, channels, 3)
        self.bn2 = BatchNorm2d(channels)
        if parametric:
            self.prelu = nn.PReLU(channels)
        self.conv2 = conv2d(channels, channels, 3, stride)
        self.bn3 = BatchNorm2d(channels)

    def branch(self, x: Tensor) -> Tensor:
        y = self.conv1(self.bn1(x) if self.parametric else x)
        y = self.bn2(y)
        y = self.prelu(y) if self.parametric else ops.relu(y)
        return self.bn3(self.conv2(y))

    def construct(self, x: Tensor) -> Tensor:
        return self.branch(x)
