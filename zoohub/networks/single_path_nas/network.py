"""Single-Path NAS.

Source: Stamoulis et al., "Single-Path NAS: Designing Hardware-Efficient ConvNets in less than 4
Hours" (2019). Parameter names follow the models repository's research/cv/single_path_nas.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

# channels, kernel, stride, expansion of each block, by stage: figure 4 of the paper
_STAGES = (
    ((24, 3, 2, 3), (24, 3, 1, 3), (24, 3, 1, 3)),
    ((40, 5, 2, 6), (40, 3, 1, 3), (40, 3, 1, 3), (40, 3, 1, 3)),
    ((80, 5, 2, 6), (80, 3, 1, 3), (80, 3, 1, 3), (80, 3, 1, 3)),
    (
        *((96, 5, 1, 6), (96, 5, 1, 3), (96, 5, 1, 3), (96, 5, 1, 3)),
        *((192, 5, 2, 6), (192, 5, 1, 6), (192, 5, 1, 6), (192, 5, 1, 6)),
    ),
)
_STEM, _FIRST, _TOP, _LAST = 32, 16, 320, 1280


class ConvUnit(nn.Cell):
    """Convolution, batch norm, ReLU unless `act` is False.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        eps: float,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride, groups=groups)
        self.bn = BatchNorm2d(out_channels, eps)
        self.act = act

    def construct(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return ops.relu(x) if self.act else x


class InvertedResidual(nn.Cell):
    """Expand, filter each channel by itself, project; the input added where shapes allow.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int,
        expansion: int,
        eps: float,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.exp_conv = ConvUnit(in_channels, hidden, 1, eps) if expansion > 1 else None
        self.conv1 = ConvUnit(hidden, hidden, kernel, eps, stride, groups=hidden)
        self.conv2 = ConvUnit(hidden, out_channels, 1, eps, act=False)
        self.shortcut = stride == 1 and in_channels == out_channels

    def construct(self, x: Tensor) -> Tensor:
        y = x if self.exp_conv is None else self.exp_conv(x)
        y = self.conv2(self.conv1(y))
        return x + y if self.shortcut else y


class SinglePathNAS(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        eps: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        first = ConvUnit(in_channels, _STEM, 3, eps, 2)
        second = InvertedResidual(_STEM, _FIRST, 3, 1, 1, eps)
        layers: list[nn.Cell] = [nn.SequentialCell(OrderedDict(conv1=first, conv2=second))]
        channels, stride = _FIRST, 2
        maps = [FeatureMap(channels, stride)]
        for rows in _STAGES:
            blocks: list[nn.Cell] = []
            for out_channels, kernel, step, expansion in rows:
                blocks.append(
                    InvertedResidual(channels, out_channels, kernel, step, expansion, eps)
                )
                channels, stride = out_channels, stride * step
            layers.append(nn.SequentialCell(blocks))
            maps.append(FeatureMap(channels, stride))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            top = InvertedResidual(channels, _TOP, 3, 1, 6, eps)
            last = ConvUnit(_TOP, _LAST, 1, eps)
            layers.append(nn.SequentialCell(OrderedDict(conv1=top, conv2=last)))
            self.features = ReadLayers(layers)
            self.pool = GlobalAvgPool()
            self.output = nn.Dense(_LAST, num_classes)
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        return x if self.features_only else self.output(self.pool(x))


def single_path_nas(
    num_classes: int = 1000,
    in_channels: int = 3,
    bn_eps: float = 1e-5,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> SinglePathNAS:
    """Single-Path NAS: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        bn_eps: epsilon of the batch norms.
        features_only: leave out what follows the last stage and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = tuple(out_indices) if features_only else None
    return SinglePathNAS(num_classes, in_channels, bn_eps, indices)
