"""Cross-stage-partial blocks and spatial pyramids, as YOLOv5 and its successors use them.

Source: Wang et al., "CSPNet" (2019); He et al., "Spatial Pyramid Pooling" (2014); parameter names
are those of mindyolo's checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import Activation, ConvNormAct


class Bottleneck(nn.Cell):
    """Two convolutions of the given `kernels`, `expansion` times `out_channels` between them.

    (B, in_channels, H, W) -> (B, out_channels, H, W). The input is added where `shortcut` is set
    and the shapes allow.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        shortcut: bool = True,
        kernels: tuple[int, int] = (1, 3),
        expansion: float = 1.0,
        act: Activation = nn.SiLU,
    ) -> None:
        super().__init__()
        hidden = int(out_channels * expansion)
        self.conv1 = ConvNormAct(in_channels, hidden, kernels[0], act=act)
        self.conv2 = ConvNormAct(hidden, out_channels, kernels[1], act=act)
        self.shortcut = shortcut and in_channels == out_channels

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x))
        return x + y if self.shortcut else y


class C3(nn.Cell):
    """Half of the channels go through `repeats` bottlenecks, the other half past them.

    (B, in_channels, H, W) -> (B, out_channels, H, W). `block` makes another block of a channel
    count.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        repeats: int = 1,
        shortcut: bool = True,
        kernels: tuple[int, int] = (1, 3),
        block: Callable[[int], nn.Cell] | None = None,
    ) -> None:
        super().__init__()
        hidden = out_channels // 2
        make = block or (lambda width: Bottleneck(width, width, shortcut, kernels))
        self.conv1 = ConvNormAct(in_channels, hidden)
        self.conv2 = ConvNormAct(in_channels, hidden)
        self.conv3 = ConvNormAct(2 * hidden, out_channels)
        self.m = nn.SequentialCell([make(hidden) for _ in range(repeats)])

    def construct(self, x: Tensor) -> Tensor:
        return self.conv3(ops.concat((self.m(self.conv1(x)), self.conv2(x)), 1))


class C2(nn.Cell):
    """C3 with one convolution before the channels part and none behind the bottlenecks.

    (B, in_channels, H, W) -> (B, out_channels, H, W).
    """

    def __init__(
        self, in_channels: int, out_channels: int, repeats: int = 1, shortcut: bool = True
    ) -> None:
        super().__init__()
        self.hidden = out_channels // 2
        self.cv1 = ConvNormAct(in_channels, 2 * self.hidden)
        self.cv2 = ConvNormAct(2 * self.hidden, out_channels)
        self.m = nn.SequentialCell(
            [Bottleneck(self.hidden, self.hidden, shortcut, (3, 3)) for _ in range(repeats)]
        )

    def construct(self, x: Tensor) -> Tensor:
        parts = ops.split(self.cv1(x), self.hidden, 1)
        return self.cv2(ops.concat((self.m(parts[0]), parts[1]), 1))


class C2f(nn.Cell):
    """Half of the channels pass; of the other half every one of `repeats` blocks' output is kept.

    (B, in_channels, H, W) -> (B, out_channels, H, W). `block` makes a block of a channel count; the
    default is a bottleneck of two 3×3 convolutions. `expansion` times `out_channels` is a half.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        repeats: int = 1,
        shortcut: bool = False,
        expansion: float = 0.5,
        block: Callable[[int], nn.Cell] | None = None,
    ) -> None:
        super().__init__()
        self.hidden = int(out_channels * expansion)
        make = block or (lambda hidden: Bottleneck(hidden, hidden, shortcut, (3, 3)))
        self.cv1 = ConvNormAct(in_channels, 2 * self.hidden)
        self.cv2 = ConvNormAct((2 + repeats) * self.hidden, out_channels)
        self.m = nn.CellList([make(self.hidden) for _ in range(repeats)])

    def construct(self, x: Tensor) -> Tensor:
        parts = ops.split(self.cv1(x), self.hidden, 1)
        kept: tuple[Tensor, ...] = (parts[0], parts[1])
        for block in self.m:
            kept = (*kept, block(kept[-1]))
        return self.cv2(ops.concat(kept, 1))


class SPPF(nn.Cell):
    """Three poolings one after the other: exactly SPP(5, 9, 13), in less time.

    (B, in_channels, H, W) -> (B, out_channels, H, W).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int = 5, act: Activation = nn.SiLU
    ) -> None:
        super().__init__()
        hidden = in_channels // 2
        self.conv1 = ConvNormAct(in_channels, hidden, act=act)
        self.conv2 = ConvNormAct(4 * hidden, out_channels, act=act)
        self.pool = nn.MaxPool2d(kernel, stride=1, pad_mode="same")

    def construct(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        once = self.pool(x)
        twice = self.pool(once)
        return self.conv2(ops.concat((x, once, twice, self.pool(twice)), 1))
