"""HourNAS-F for CIFAR-10.

Source: Yang et al., "HourNAS: Extremely Fast Neural Architecture Search Through an Hourglass Lens"
(2021). Parameter names follow the models repository's research/cv/HourNAS.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.drop_path import DropPath
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.squeeze_excite import SqueezeExcite

# kernel, expansion, channels, stride of each block: as published for pictures of 32 pixels
_BLOCKS = (
    (3, 1, 16, 1),
    *((5, 6, 24, 1), (5, 1, 24, 1), (5, 1, 24, 1), (3, 1, 24, 1)),
    *((5, 6, 40, 1), (5, 1, 40, 1), (3, 1, 40, 1), (5, 1, 40, 1)),
    *((5, 6, 80, 2), (3, 6, 80, 1), (3, 6, 80, 1), (3, 6, 80, 1)),
    *((5, 6, 112, 1), (5, 3, 112, 1), (5, 3, 112, 1), (5, 3, 112, 1)),
    *((5, 6, 192, 2), (5, 6, 192, 1), (3, 6, 192, 1), (5, 6, 192, 1)),
    (5, 6, 320, 1),
)
_STEM, _LAST, _SQUEEZED = 32, 1280, 0.05


def _bare_conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    return conv2d(in_channels, out_channels, 1)


class InvertedResidual(nn.Cell):
    """Expand, filter each channel by itself, excite, project; the input added where shapes allow.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int,
        expansion: int,
        drop_path: float,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.conv_pw = conv2d(in_channels, hidden, 1)
        self.bn1 = BatchNorm2d(hidden)
        self.conv_dw = conv2d(hidden, hidden, kernel, stride, groups=hidden)
        self.bn2 = BatchNorm2d(hidden)
        self.se = SqueezeExcite(hidden, max(1, int(hidden * _SQUEEZED)), conv=_bare_conv)
        self.conv_pwl = conv2d(hidden, out_channels, 1)
        self.bn3 = BatchNorm2d(out_channels)
        self.shortcut = stride == 1 and in_channels == out_channels
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv_pw(x)))
        y = self.se(ops.relu(self.bn2(self.conv_dw(y))))
        y = self.bn3(self.conv_pwl(y))
        return self.drop_path(y) + x if self.shortcut else y


class HourNAS(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes); made for pictures of 32 pixels."""

    def __init__(
        self, num_classes: int, in_channels: int, dropout: float, drop_path: float
    ) -> None:
        super().__init__()
        self.conv_stem = conv2d(in_channels, _STEM, 3)
        self.bn1 = BatchNorm2d(_STEM)
        blocks = []
        channels = _STEM
        for number, (kernel, expansion, out_channels, stride) in enumerate(_BLOCKS):
            rate = drop_path * number / len(_BLOCKS)
            blocks.append(InvertedResidual(channels, out_channels, kernel, stride, expansion, rate))
            channels = out_channels
        self.blocks = nn.SequentialCell(blocks)
        self.conv_head = conv2d(channels, _LAST, 1)
        self.bn2 = BatchNorm2d(_LAST)
        self.pool = GlobalAvgPool()
        self.dropout = nn.Dropout(p=dropout)
        self.classifier = nn.Dense(_LAST, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = self.blocks(ops.relu(self.bn1(self.conv_stem(x))))
        x = self.pool(ops.relu(self.bn2(self.conv_head(x))))
        return self.classifier(self.dropout(x))


def hournas(
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.2,
    drop_path: float = 0.0,
) -> HourNAS:
    """HourNAS-F: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        drop_path: share of the samples that skip the last block in training.
    """
    return HourNAS(num_classes, in_channels, dropout, drop_path)
