"""PP-OCRv3's light backbone for lines of text.

Source: Howard et al., "MobileNets" (2017), with the large kernels and late excitation of Cui et
al., "PP-LCNet: A Lightweight CPU Convolutional Neural Network" (2021). Parameter names are those
of MindOCR.
"""

from __future__ import annotations

from mindspore import Tensor, nn

from zoohub.networks.dbnet.network import Excitation
from zoohub.networks.layers.activations import HardSwish
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

_STEM = 32
# channels, kernel, stride, squeeze and excitation
_BLOCKS = (
    (64, 3, (1, 1), False),
    (128, 3, (1, 1), False),
    (128, 3, (1, 1), False),
    (256, 3, (2, 1), False),
    (256, 3, (1, 1), False),
    (512, 3, (2, 1), False),
    *[(512, 5, (1, 1), False)] * 5,
    (1024, 5, (2, 1), True),
    (1024, 5, (1, 2), True),
)


class ConvNormAct(nn.Cell):
    """Convolution, batch norm, and hard swish unless another activation is given."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int | tuple[int, int] = 1,
        groups: int = 1,
        act: nn.Cell | None = None,
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride, groups=groups)
        self.norm = BatchNorm2d(out_channels)
        self.act = HardSwish() if act is None else act

    def construct(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


class Separable(nn.Cell):
    """Each channel filtered by itself, excited or not, and mixed by a 1×1 convolution."""

    def __init__(
        self, in_channels: int, channels: int, kernel: int, stride: tuple[int, int], excite: bool
    ) -> None:
        super().__init__()
        self.depthwise_conv = ConvNormAct(in_channels, in_channels, kernel, stride, in_channels)
        self.se = Excitation(in_channels) if excite else nn.Identity()
        self.pointwise_conv = ConvNormAct(in_channels, channels, 1)

    def construct(self, x: Tensor) -> Tensor:
        return self.pointwise_conv(self.se(self.depthwise_conv(x)))


class LCNet(nn.Cell):
    """(B, in_channels, 48, W) -> (B, channels, 1, W / 8), the channels times `width`."""

    def __init__(self, in_channels: int, width: float) -> None:
        super().__init__()
        last = int(_STEM * width)
        self.conv1 = ConvNormAct(in_channels, last, 3, 2)
        blocks = []
        for channels, kernel, stride, excite in _BLOCKS:
            own = int(channels * width)
            blocks.append(Separable(last, own, kernel, stride, excite))
            last = own
        self.block_list = nn.SequentialCell(blocks)
        self.pool = nn.AvgPool2d(2, 2)
        self.channels = last

    def construct(self, x: Tensor) -> Tensor:
        return self.pool(self.block_list(self.conv1(x)))
