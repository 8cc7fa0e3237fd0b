"""Inception v4.

Source: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
Learning" (2017). Parameter names are those of mindcv. The models repository has another epsilon
and batch norms around the classifier (`bn_eps`, `normed_head`).
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.inception import Branches, Row
from zoohub.networks.layers.pooling import GlobalAvgPool

_FLAT, _TALL = (1, 7), (7, 1)


class Stem(nn.Cell):
    """(B, in_channels, H, W) -> (B, 384, about H / 8, about W / 8): figure 3 of the paper."""

    def __init__(self, in_channels: int, row: Row) -> None:
        super().__init__()
        self.conv2d_1a_3x3 = row.conv(in_channels, 32, 3, 2, padding=0)
        self.conv2d_2a_3x3 = row.conv(32, 32, 3, padding=0)
        self.conv2d_2b_3x3 = row.conv(32, 64, 3)
        self.max_pool = nn.MaxPool2d(3, 2)
        self.mixed_3a_branch_1 = row.conv(64, 96, 3, 2, padding=0)
        self.mixed_4a_branch_0 = nn.SequentialCell(
            [row.conv(160, 64), row.conv(64, 96, 3, padding=0)]
        )
        self.mixed_4a_branch_1 = nn.SequentialCell(
            [
                *(row.conv(160, 64), row.conv(64, 64, _FLAT), row.conv(64, 64, _TALL)),
                row.conv(64, 96, 3, padding=0),
            ]
        )
        self.mixed_5a_branch_0 = row.conv(192, 192, 3, 2, padding=0)

    def construct(self, x: Tensor) -> Tensor:
        x = self.conv2d_2b_3x3(self.conv2d_2a_3x3(self.conv2d_1a_3x3(x)))
        x = ops.concat((self.max_pool(x), self.mixed_3a_branch_1(x)), 1)
        x = ops.concat((self.mixed_4a_branch_0(x), self.mixed_4a_branch_1(x)), 1)
        return ops.concat((self.mixed_5a_branch_0(x), self.max_pool(x)), 1)


def _block_a(row: Row) -> Branches:
    """384 channels to 384: figure 4."""
    return Branches(
        branch_0=row.conv(384, 96),
        branch_1=row(384, (64, 1), (96, 3)),
        branch_2=row(384, (64, 1), (96, 3), (96, 3)),
        branch_3=row.pooled(384, 96),
    )


def _reduction_a(row: Row) -> Branches:
    """384 channels to 1024 at half the size: figure 7."""
    return Branches(
        branch_0=row.conv(384, 384, 3, 2, padding=0),
        branch_1=row(384, (192, 1), (224, 3), (256, 3), reduces=True),
        branch_2=nn.MaxPool2d(3, 2),
    )


def _block_b(row: Row) -> Branches:
    """1024 channels to 1024: figure 5."""
    twice = ((192, _TALL), (224, _FLAT), (224, _TALL), (256, _FLAT))
    return Branches(
        branch_0=row.conv(1024, 384),
        branch_1=row(1024, (192, 1), (224, _FLAT), (256, _TALL)),
        branch_2=row(1024, (192, 1), *twice),
        branch_3=row.pooled(1024, 128),
    )


def _reduction_b(row: Row) -> Branches:
    """1024 channels to 1536 at half the size: figure 8."""
    return Branches(
        branch_0=row(1024, (192, 1), (192, 3), reduces=True),
        branch_1=row(1024, (256, 1), (256, _FLAT), (320, _TALL), (320, 3), reduces=True),
        branch_2=nn.MaxPool2d(3, 2),
    )


class BlockC(nn.Cell):
    """(B, 1536, H, W) -> the same shape: figure 6."""

    def __init__(self, row: Row) -> None:
        super().__init__()
        flat, tall = (1, 3), (3, 1)
        self.branch_0 = row.conv(1536, 256)
        self.branch_1 = row.conv(1536, 384)
        self.branch_1_1 = row.conv(384, 256, flat)
        self.branch_1_2 = row.conv(384, 256, tall)
        self.branch_2 = row(1536, (384, 1), (448, tall), (512, flat))
        self.branch_2_1 = row.conv(512, 256, flat)
        self.branch_2_2 = row.conv(512, 256, tall)
        self.branch_3 = row.pooled(1536, 256)

    def construct(self, x: Tensor) -> Tensor:
        first, second = self.branch_1(x), self.branch_2(x)
        rows = (self.branch_1_1(first), self.branch_1_2(first))
        forks = (*rows, self.branch_2_1(second), self.branch_2_2(second))
        return ops.concat((self.branch_0(x), *forks, self.branch_3(x)), 1)


class InceptionV4(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        dropout: float,
        bn_eps: float,
        normed_head: bool,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        row = Row(bn_eps)
        layers: list[nn.Cell] = [
            Stem(in_channels, row),
            *[_block_a(row) for _ in range(4)],
            _reduction_a(row),
            *[_block_b(row) for _ in range(7)],
            _reduction_b(row),
            *[BlockC(row) for _ in range(3)],
        ]
        stages = ((5, FeatureMap(384, 8)), (8, FeatureMap(1024, 16)), (4, FeatureMap(1536, 32)))
        maps = [each for repeats, each in stages for _ in range(repeats)]
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        self.normed = normed_head
        if out_indices is None:
            self.features = ReadLayers(layers)
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            self.classifier = nn.Dense(1536, num_classes)
            if normed_head:
                self.classifier_norm = nn.BatchNorm1d(num_classes, eps=1e-5)
                self.feature_norm = nn.BatchNorm1d(1536, eps=1e-3)
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        if self.features_only:
            return x
        x = self.pool(x)
        if not self.normed:
            return self.classifier(self.dropout(x))
        x = self.classifier_norm(self.classifier(self.dropout(self.feature_norm(x))))
        return ops.log_softmax(x, -1)


def inception_v4(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    bn_eps: float = 1e-3,
    normed_head: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2),
) -> InceptionV4:
    """Inception v4: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        bn_eps: epsilon of the convolutions' batch norms.
        normed_head: batch norms before and behind the classifier, and logarithms of probabilities
            as the output (the models repository).
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 to 2 are at about 1/8, 1/16 and 1/32 of the picture's size;
            several convolutions do not pad. The picture has at least 75 pixels.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = tuple(out_indices) if features_only else None
    return InceptionV4(num_classes, in_channels, dropout, bn_eps, normed_head, indices)
