"""ReXNet-V1 of every width.

Source: Han et al., "Rethinking Channel Dimensions for Efficient Model Design" (2020): channels grow
by the same number from block to block. Parameter names are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeUniform

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import ConvNormFeatures
from zoohub.networks.layers.drop_path import DropPath, drop_path_rates
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.squeeze_excite import SqueezeExcite

# repeats, stride of the first, whether squeeze and excitation follows
_STAGES = (
    (1, 1, False),
    (2, 2, False),
    (2, 2, True),
    (3, 2, True),
    (3, 1, True),
    (5, 2, True),
)
_STEM, _FIRST, _GROWTH, _LAST = 32, 16, 180, 1280


@dataclass(frozen=True, slots=True)
class _Block:
    in_channels: int
    out_channels: int
    expansion: int
    stride: int
    excite: bool


def _blocks(width: float, depth: float) -> list[_Block]:
    """Networks narrower than 1 keep the first widths."""
    rows = []
    for stage, (repeats, stride, excite) in enumerate(_STAGES):
        for index in range(ceil(repeats * depth)):
            rows.append((6 if stage else 1, stride if index == 0 else 1, excite))
    channels: float = _FIRST / width if width < 1.0 else _FIRST
    before = _stem(width)
    blocks = []
    for number, row in enumerate(rows):
        channels += _GROWTH / len(rows) if number else 0
        own = round(channels * width)
        blocks.append(_Block(before, own, *row))
        before = own
    return blocks


def _stem(width: float) -> int:
    return round((_STEM / width if width < 1.0 else _STEM) * width)


class LinearBottleneck(Cell):
    """Expand, filter each channel by itself, excite, project; the input added to the first channels
    where the size stays.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(self, block: _Block, drop_path: float) -> None:
        super().__init__()
        channels = block.in_channels
        hidden = channels * block.expansion
        expands = block.expansion != 1
        self.conv_exp = ConvNormFeatures(channels, hidden, act=nn.SiLU) if expands else None
        self.conv_dw = ConvNormFeatures(hidden, hidden, 3, block.stride, groups=hidden, act=None)
        self.se = SqueezeExcite(hidden, int(hidden / 12), norm=True) if block.excite else None
        self.conv_pwl = ConvNormFeatures(hidden, block.out_channels, act=None)
        self.drop_path = DropPath(drop_path)
        self.shortcut = block.stride == 1 and channels <= block.out_channels
        self.grows = channels < block.out_channels
        self.in_channels = channels

    def construct(self, x: Tensor) -> Tensor:
        y = x if self.conv_exp is None else self.conv_exp(x)
        y = self.conv_dw(y)
        if self.se is not None:
            y = self.se(y)
        y = self.conv_pwl(ops.relu6(y))
        if not self.shortcut:
            return y
        y = self.drop_path(y)
        if not self.grows:
            return y + x
        return ops.concat((y[:, : self.in_channels] + x, y[:, self.in_channels :]), 1)


class ReXNet(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen layers."""

    def __init__(
        self,
        width: float,
        depth: float,
        num_classes: int,
        in_channels: int,
        dropout: float,
        drop_path: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.stem = ConvNormFeatures(in_channels, _stem(width), 3, 2, act=nn.SiLU)
        blocks = _blocks(width, depth)
        rates = drop_path_rates(drop_path, len(blocks))
        layers: list[nn.Cell] = []
        maps, stride = [], 2
        for block, rate in zip(blocks, rates, strict=True):
            layers.append(LinearBottleneck(block, rate))
            stride *= block.stride
            maps.append(FeatureMap(block.out_channels, stride))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            last = int(_LAST * width)
            layers.append(ConvNormFeatures(blocks[-1].out_channels, last, act=nn.SiLU))
            self.features = ReadLayers(layers)
            self.pool = GlobalAvgPool()
            init = HeUniform(5**0.5, mode="fan_in", nonlinearity="relu")
            dense = nn.Dense(last, num_classes, weight_init=init)
            self.cls = nn.SequentialCell([nn.Dropout(p=dropout), dense])
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(self.stem(x))
        return x if self.features_only else self.cls(self.pool(x))


def rexnet(
    width: float = 1.0,
    depth: float = 1.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    drop_path: float = 0.0,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> ReXNet:
    """ReXNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        width: multiplier of the channels: 0.9, 1.0, 1.3, 1.5 and 2.0 are published.
        depth: multiplier of each stage's blocks.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        drop_path: share of the samples that skip the last block in training.
        features_only: leave out what follows the last block and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = tuple(out_indices) if features_only else None
    return ReXNet(width, depth, num_classes, in_channels, dropout, drop_path, indices)
