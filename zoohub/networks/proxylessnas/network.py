"""ProxylessNAS, the one searched for mobile telephones.

Source: Cai et al., "ProxylessNAS: Direct Neural Architecture Search on Target Task and Hardware"
(2019). Parameter names are those of the models repository's research/cv/proxylessnas.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

# channels, kernel, stride, expansion of each block, by stage: figure 4 of the paper
_STAGES = (
    ((16, 3, 1, 1),),
    ((32, 5, 2, 3), (32, 3, 1, 3)),
    ((40, 7, 2, 3), (40, 3, 1, 3), (40, 5, 1, 3), (40, 5, 1, 3)),
    (
        *((80, 7, 2, 6), (80, 5, 1, 3), (80, 5, 1, 3), (80, 5, 1, 3)),
        *((96, 5, 1, 6), (96, 5, 1, 3), (96, 5, 1, 3), (96, 5, 1, 3)),
    ),
    ((192, 7, 2, 6), (192, 7, 1, 6), (192, 7, 1, 3), (192, 7, 1, 3), (320, 7, 1, 6)),
)
_STEM, _LAST, _EPS = 32, 1280, 1e-3


class ConvBlock(nn.Cell):
    """Convolution, batch norm, ReLU6 unless `act` is False.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride, groups=groups)
        self.bn = BatchNorm2d(out_channels, _EPS)
        self.act = act

    def construct(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return ops.relu6(x) if self.act else x


class InvertedResidual(nn.Cell):
    """Expand, filter each channel by itself, project."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.bc_conv = ConvBlock(in_channels, hidden) if expansion > 1 else None
        self.dw_conv = ConvBlock(hidden, hidden, kernel, stride, groups=hidden)
        self.pw_conv = ConvBlock(hidden, out_channels, act=False)

    def construct(self, x: Tensor) -> Tensor:
        x = x if self.bc_conv is None else self.bc_conv(x)
        return self.pw_conv(self.dw_conv(x))


class Unit(nn.Cell):
    """An inverted residual, and the input added where shapes allow.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int
    ) -> None:
        super().__init__()
        self.body = InvertedResidual(in_channels, out_channels, kernel, stride, expansion)
        self.shortcut = stride == 1 and in_channels == out_channels

    def construct(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.shortcut else self.body(x)


class ProxylessNAS(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self, num_classes: int, in_channels: int, out_indices: tuple[int, ...] | None
    ) -> None:
        super().__init__()
        channels, stride = _STEM, 2
        layers: dict[str, nn.Cell] = {"init_block": ConvBlock(in_channels, channels, 3, 2)}
        maps = [FeatureMap(channels, stride)]
        for number, rows in enumerate(_STAGES, 1):
            units: dict[str, nn.Cell] = {}
            for place, (out_channels, kernel, step, expansion) in enumerate(rows, 1):
                units[f"unit{place}"] = Unit(channels, out_channels, kernel, step, expansion)
                channels, stride = out_channels, stride * step
            layers[f"stage{number}"] = ReadLayers(units)
            maps.append(FeatureMap(channels, stride))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.features = ReadLayers({**layers, "final_block": ConvBlock(channels, _LAST)})
            self.pool = GlobalAvgPool()
            self.output = nn.Dense(_LAST, num_classes)
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        return x if self.features_only else self.output(self.pool(x))


def proxylessnas(
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> ProxylessNAS:
    """ProxylessNAS (mobile): float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        features_only: leave out what follows the last stage and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = tuple(out_indices) if features_only else None
    return ProxylessNAS(num_classes, in_channels, indices)
