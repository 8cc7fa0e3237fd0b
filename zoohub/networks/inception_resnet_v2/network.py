"""Inception-ResNet v2.

Source: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
Learning" (2017). Parameter names follow the models repository's research/cv/inception_resnet_v2.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.inception import Branches, ConvBN, Row
from zoohub.networks.layers.pooling import GlobalAvgPool

_row = Row()


class Stem(nn.Cell):
    """(B, in_channels, H, W) -> (B, 320, about H / 8, about W / 8)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv2d_1a = ConvBN(in_channels, 32, 3, 2, padding=0)
        self.conv2d_2a = ConvBN(32, 32, 3, padding=0)
        self.conv2d_2b = ConvBN(32, 64, 3)
        self.max_pool = nn.MaxPool2d(3, 2)
        self.conv2d_3b = ConvBN(64, 80)
        self.conv2d_4a = ConvBN(80, 192, 3, padding=0)
        self.mixed_5b = Branches(
            branch0=_row.conv(192, 96),
            branch1=_row(192, (48, 1), (64, 5)),
            branch2=_row(192, (64, 1), (96, 3), (96, 3)),
            branch3=_row.pooled(192, 64),
        )

    def construct(self, x: Tensor) -> Tensor:
        x = self.max_pool(self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(x))))
        return self.mixed_5b(self.max_pool(self.conv2d_4a(self.conv2d_3b(x))))


class ResidualBlock(nn.Cell):
    """Branches side by side, a 1×1 convolution, and a share of that added to the input.

    (B, channels, H, W) -> the same shape. `rows` are the branches as `Row` takes them.
    """

    def __init__(
        self,
        channels: int,
        rows: Sequence[Sequence[tuple[int, int | tuple[int, int]]]],
        scale: float,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.branch0 = _row.conv(channels, rows[0][0][0])
        self.branch1 = _row(channels, *rows[1])
        self.branch2 = _row(channels, *rows[2]) if len(rows) > 2 else None
        self.conv2d = conv2d(sum(row[-1][0] for row in rows), channels, 1)
        self.scale = scale
        self.relu = relu

    def construct(self, x: Tensor) -> Tensor:
        parts: tuple[Tensor, ...] = (self.branch0(x), self.branch1(x))
        if self.branch2 is not None:
            parts = (*parts, self.branch2(x))
        y = self.conv2d(ops.concat(parts, 1)) * self.scale + x
        return ops.relu(y) if self.relu else y


_ROWS_A = (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3)))
_ROWS_B = (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1))))
_ROWS_C = (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1))))


def _reduction_a() -> Branches:
    """320 channels to 1088 at half the size."""
    return Branches(
        branch0=_row.conv(320, 384, 3, 2, padding=0),
        branch1=_row(320, (256, 1), (256, 3), (384, 3), reduces=True),
        branch2=nn.MaxPool2d(3, 2),
    )


def _reduction_b() -> Branches:
    """1088 channels to 2080 at half the size."""
    return Branches(
        branch0=_row(1088, (256, 1), (384, 3), reduces=True),
        branch1=_row(1088, (256, 1), (288, 3), reduces=True),
        branch2=_row(1088, (256, 1), (288, 3), (320, 3), reduces=True),
        branch3=nn.MaxPool2d(3, 2),
    )


class InceptionResNetV2(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        dropout: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        layers: list[nn.Cell] = [
            Stem(in_channels),
            *[ResidualBlock(320, _ROWS_A, 0.17) for _ in range(10)],
            _reduction_a(),
            *[ResidualBlock(1088, _ROWS_B, 0.1) for _ in range(20)],
            _reduction_b(),
            *[ResidualBlock(2080, _ROWS_C, 0.2) for _ in range(9)],
        ]
        stages = ((11, FeatureMap(320, 8)), (21, FeatureMap(1088, 16)), (10, FeatureMap(2080, 32)))
        maps = [each for repeats, each in stages for _ in range(repeats)]
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.features = ReadLayers(layers)
            self.block8 = ResidualBlock(2080, _ROWS_C, 1.0, relu=False)
            self.conv2d_7b = ConvBN(2080, 1536)
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            self.classifier = nn.Dense(1536, num_classes)
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        if self.features_only:
            return x
        x = self.conv2d_7b(self.block8(x))
        return self.classifier(self.dropout(self.pool(x)))


def inception_resnet_v2(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2),
) -> InceptionResNetV2:
    """Inception-ResNet v2: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        features_only: leave out what follows the last stage and return a tuple of feature maps.
        out_indices: which maps: 0 to 2 are at about 1/8, 1/16 and 1/32 of the picture's size;
            several convolutions do not pad. The picture has at least 75 pixels.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = tuple(out_indices) if features_only else None
    return InceptionResNetV2(num_classes, in_channels, dropout, indices)
