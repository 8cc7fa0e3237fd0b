"""MobileNetV2 of every width.

Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018).
Parameter names are those of mindcv; the models repository computes the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn
from mindspore.common.initializer import Normal

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.widths import make_divisible

# expansion, channels, repeats, stride of the first: table 2 of the paper
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
# The last block (index into `features`) at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.
_FEATURE_LAYERS = (3, 5, 8, 15, 19)


def _conv_norm_relu6(
    in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Cell]:
    return [
        conv2d(in_channels, out_channels, kernel, stride, groups=groups),
        BatchNorm2d(out_channels),
        nn.ReLU6(),
    ]


class InvertedResidual(Cell):
    """Expand, filter each channel by itself, project; the input added where shapes allow.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        expand = _conv_norm_relu6(in_channels, hidden, 1) if expansion != 1 else []
        self.layers = nn.SequentialCell(
            [
                *expand,
                *_conv_norm_relu6(hidden, hidden, 3, stride, groups=hidden),
                conv2d(hidden, out_channels, 1),
                BatchNorm2d(out_channels),
            ]
        )
        self.shortcut = stride == 1 and in_channels == out_channels

    def construct(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.shortcut else self.layers(x)


class MobileNetV2(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen layers."""

    def __init__(
        self,
        width: float,
        num_classes: int,
        in_channels: int,
        dropout: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        channels = make_divisible(32 * width)
        features = _conv_norm_relu6(in_channels, channels, 3, stride=2)
        widths = [channels] * len(features)  # of what each layer gives
        for expansion, base, repeats, stride in _STAGES:
            out_channels = make_divisible(base * width)
            for index in range(repeats):
                block_stride = stride if index == 0 else 1
                features.append(InvertedResidual(channels, out_channels, block_stride, expansion))
                channels = out_channels
                widths.append(channels)
        self.feature_info = tuple(
            FeatureMap(widths[_FEATURE_LAYERS[index]], 2 ** (index + 1))
            for index in out_indices or ()
        )
        self.features_only = out_indices is not None
        self.feature_layers: tuple[int, ...] = ()
        if out_indices is None:
            last = make_divisible(1280 * max(1.0, width))
            self.features = nn.CellList([*features, *_conv_norm_relu6(channels, last, 1)])
            self.pool = GlobalAvgPool()
            dense = nn.Dense(last, num_classes, weight_init=Normal(0.01))
            self.classifier = nn.SequentialCell([nn.Dropout(p=dropout), dense])
        else:
            self.feature_layers = tuple(_FEATURE_LAYERS[index] for index in out_indices)
            self.features = nn.CellList(features[: max(self.feature_layers) + 1])

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        maps: tuple[Tensor, ...] = ()
        for index, layer in enumerate(self.features):
            x = layer(x)
            if index in self.feature_layers:
                maps = (*maps, x)
        return maps if self.features_only else self.classifier(self.pool(x))


def mobilenet_v2(
    width: float = 1.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> MobileNetV2:
    """MobileNetV2: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        width: multiplier of the channels: 0.35, 0.5, 0.75, 1.0, 1.3 or 1.4 are published.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        features_only: leave out what follows the last block and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = check_out_indices(out_indices, 5) if features_only else None
    return MobileNetV2(width, num_classes, in_channels, dropout, indices)
