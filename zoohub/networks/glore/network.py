"""ResNet with global reasoning units in its middle stages.

Source: Chen et al., "Graph-Based Global Reasoning Networks" (2018). Depth 50 is a ResNet with a
deep stem and pooled shortcuts, 101 and 200 are pre-activated. Parameter names are those of the
MindSpore models repository.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from mindspore import Tensor, nn, ops

from zoohub.networks.glore.units import EPS, GloreUnit
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import blocks_of, classifier

# After which blocks of which stage units stand, counted from 1.
_UNITS: Mapping[int, Mapping[int, tuple[int, ...]]] = {
    50: {2: (1, 3, 5)},
    101: {1: (1, 3), 2: (3, 11, 19)},
    200: {1: (12, 18), 2: (16, 24, 32)},
}


class PooledBottleneck(nn.Cell):
    """ResNet's bottleneck with average pooling in the shortcut.

    (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride).
    """

    def __init__(self, in_channels: int, channels: int, stride: int, first: bool) -> None:
        super().__init__()
        out_channels = 4 * channels
        self.conv1 = conv2d(in_channels, channels, 1)
        self.bn1 = BatchNorm2d(channels, EPS)
        self.conv2 = conv2d(channels, channels, 3, stride, "same")
        self.bn2 = BatchNorm2d(channels, EPS)
        self.conv3 = conv2d(channels, out_channels, 1)
        self.bn3 = BatchNorm2d(out_channels, EPS)
        self.down_sample_layer: nn.Cell | None = None
        if first:
            pool = nn.AvgPool2d(stride, stride, pad_mode="valid")
            conv = conv2d(in_channels, out_channels, 1)
            self.down_sample_layer = nn.SequentialCell([pool, conv, BatchNorm2d(out_channels, EPS)])

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = ops.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return ops.relu(y + (x if self.down_sample_layer is None else self.down_sample_layer(x)))


class NormActConv(nn.Cell):
    """(B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride)."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1
    ) -> None:
        super().__init__()
        self.bn = BatchNorm2d(in_channels, EPS)
        self.conv = conv2d(in_channels, out_channels, kernel, stride)

    def construct(self, x: Tensor) -> Tensor:
        return self.conv(ops.relu(self.bn(x)))


class PreActUnit(nn.Cell):
    """1×1, 3×3, 1×1: (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride)."""

    def __init__(self, in_channels: int, channels: int, stride: int, first: bool) -> None:
        super().__init__()
        out_channels = 4 * channels
        self.BN_AC_Conv1 = NormActConv(in_channels, channels)
        self.BN_AC_Conv2 = NormActConv(channels, channels, 3, stride)
        self.BN_AC_Conv3 = NormActConv(channels, out_channels)
        self.BN_AC_Conv_w: nn.Cell | None = None
        if first:
            self.BN_AC_Conv_w = NormActConv(in_channels, out_channels, 1, stride)

    def construct(self, x: Tensor) -> Tensor:
        y = self.BN_AC_Conv3(self.BN_AC_Conv2(self.BN_AC_Conv1(x)))
        return y + (x if self.BN_AC_Conv_w is None else self.BN_AC_Conv_w(x))


def _stages(depth: int, block: type[PooledBottleneck] | type[PreActUnit]) -> list[nn.Cell]:
    """The four stages; those of pre-activated blocks name what is in them."""
    channels, stages = 64, []
    for stage, count in enumerate(blocks_of("glore", depth, tuple(_UNITS))):
        hidden = 64 * 2**stage
        cells: list[tuple[str, nn.Cell]] = []
        for place in range(1, count + 1):
            stride = 2 if stage > 0 and place == 1 else 1
            name = f"Residual_Unit{place}"
            cells.append((name, block(channels, hidden, stride, place == 1)))
            channels = 4 * hidden
            if place in _UNITS[depth].get(stage, ()):
                cells.append((f"{name}_GloreUnit", GloreUnit(channels, hidden)))
        named = block is PreActUnit
        stages.append(nn.SequentialCell(OrderedDict(cells) if named else [c for _, c in cells]))
    return stages


class Glore50(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes)."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        stem = [
            ("conv_1", conv2d(in_channels, 32, 3, 2, "same")),
            ("bn1", BatchNorm2d(32, EPS)),
            ("relu1", nn.ReLU()),
            ("conv_2", conv2d(32, 32, 3)),
            ("bn2", BatchNorm2d(32, EPS)),
            ("relu2", nn.ReLU()),
            ("conv_3", conv2d(32, 64, 3)),
        ]
        self.conv1 = nn.SequentialCell(OrderedDict(stem))
        self.bn1 = BatchNorm2d(64, EPS)
        self.maxpool = nn.MaxPool2d(3, 2, pad_mode="same")
        self.layer1, self.layer2, self.layer3, self.layer4 = _stages(50, PooledBottleneck)
        self.end_point = classifier(2048, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = self.maxpool(ops.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.end_point(ops.mean(x, (2, 3)))


class GlorePreAct(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes)."""

    def __init__(self, depth: int, num_classes: int, in_channels: int) -> None:
        super().__init__()
        stem = [
            ("conv", conv2d(in_channels, 64, 7, 2)),
            ("bn", BatchNorm2d(64, EPS)),
            ("relu", nn.ReLU()),
            ("maxpool", nn.MaxPool2d(3, 2, pad_mode="same")),
        ]
        self.layer1 = nn.SequentialCell(OrderedDict(stem))
        self.layer2, self.layer3, self.layer4, self.layer5 = _stages(depth, PreActUnit)
        tail = [("bn", BatchNorm2d(2048, EPS)), ("relu", nn.ReLU())]
        self.tail = nn.SequentialCell(OrderedDict(tail))
        self.classifier = classifier(2048, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = self.layer5(self.layer4(self.layer3(self.layer2(self.layer1(x)))))
        return self.classifier(ops.mean(self.tail(x), (2, 3)))


def glore(depth: int = 50, num_classes: int = 1000, in_channels: int = 3) -> nn.Cell:
    """ResNet with global reasoning: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 50, 101 or 200.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.

    Raises:
        ValueError: an unknown depth.
    """
    if depth not in _UNITS:
        raise ValueError(f"glore has depths {list(_UNITS)}, not {depth}")
    if depth == 50:
        return Glore50(num_classes, in_channels)
    return GlorePreAct(depth, num_classes, in_channels)
