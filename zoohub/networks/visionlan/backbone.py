"""ResNet-45, which VisionLAN and ABINet see lines of text with.

Source: Shi et al., "ASTER: An Attentional Scene Text Recognizer with Flexible Rectification"
(2018), after He et al., "Deep Residual Learning for Image Recognition" (2015). Parameter names are
those of MindOCR.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d

CHANNELS = 512
_STEM = 32
_BLOCKS = (3, 4, 6, 6, 3)
_WIDTHS = (32, 64, 128, 256, CHANNELS)


class ResNet45(nn.Cell):
    """(B, in_channels, H, W) -> (B, 512, H / s, W / s), s the product of the stages' `strides`.

    `block` makes a block from channels before and after and a stride.
    """

    def __init__(
        self, in_channels: int, strides: Sequence[int], block: Callable[[int, int, int], nn.Cell]
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, _STEM, 3)
        self.bn1 = BatchNorm2d(_STEM)
        width = _STEM
        stages = zip(_BLOCKS, _WIDTHS, strides, strict=True)
        for stage, (count, channels, stride) in enumerate(stages, start=1):
            blocks = [block(width, channels, stride)]
            blocks += [block(channels, channels, 1) for _ in range(count - 1)]
            setattr(self, f"layer{stage}", nn.SequentialCell(blocks))
            width = channels

    def construct(self, x: Tensor) -> Tensor:
        x = ops.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.layer5(self.layer4(x))
