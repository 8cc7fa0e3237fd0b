"""Cross-stage-partial blocks and spatial pyramids, as YOLOv5 and its successors use them.

Source: Wang et al., "CSPNet" (2019); He et al., "Spatial Pyramid Pooling" (2014); parameter names
are those of mindyolo's checkpoints.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import ConvNormAct


class Bottleneck(nn.Cell):
    """1×1 then 3×3 convolution, with the input added where `shortcut` is set.

    (B, channels, H, W) -> the same shape.
    """

    def __init__(self, channels: int, shortcut: bool = True) -> None:
        super().__init__()
        self.conv1 = ConvNormAct(channels, channels, 1)
        self.conv2 = ConvNormAct(channels, channels, 3)
        self.shortcut = shortcut

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x))
        return x + y if self.shortcut else y


class C3(nn.Cell):
    """Half of the channels go through `repeats` bottlenecks, the other half past them.

    (B, in_channels, H, W) -> (B, out_channels, H, W).
    """

    def __init__(
        self, in_channels: int, out_channels: int, repeats: int = 1, shortcut: bool = True
    ) -> None:
        super().__init__()
        hidden = out_channels // 2
        self.conv1 = ConvNormAct(in_channels, hidden)
        self.conv2 = ConvNormAct(in_channels, hidden)
        self.conv3 = ConvNormAct(2 * hidden, out_channels)
        self.m = nn.SequentialCell([Bottleneck(hidden, shortcut) for _ in range(repeats)])

    def construct(self, x: Tensor) -> Tensor:
        return self.conv3(ops.concat((self.m(self.conv1(x)), self.conv2(x)), 1))


class SPPF(nn.Cell):
    """Three poolings one after the other: exactly SPP(5, 9, 13), in less time.

    (B, in_channels, H, W) -> (B, out_channels, H, W).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 5) -> None:
        super().__init__()
        hidden = in_channels // 2
        self.conv1 = ConvNormAct(in_channels, hidden)
        self.conv2 = ConvNormAct(4 * hidden, out_channels)
        self.pool = nn.MaxPool2d(kernel, stride=1, pad_mode="same")

    def construct(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        once = self.pool(x)
        twice = self.pool(once)
        return self.conv2(ops.concat((x, once, twice, self.pool(twice)), 1))
