"""Inception v3.

Source: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2016).
Parameter names are those of mindcv; the models repository computes the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.inception import Branches, ConvBN, Row
from zoohub.networks.layers.pooling import GlobalAvgPool

_MAPS = (
    FeatureMap(64, 2),
    FeatureMap(192, 4),
    FeatureMap(288, 8),
    FeatureMap(768, 16),
    FeatureMap(2048, 32),
)
_row = Row()


def _block_a(channels: int, pooled: int) -> Branches:
    """Kernels 1, 5 and twice 3 beside a pooling: figure 5 of the paper."""
    return Branches(
        branch0=_row.conv(channels, 64),
        branch1=_row(channels, (48, 1), (64, 5)),
        branch2=_row(channels, (64, 1), (96, 3), (96, 3)),
        branch_pool=_row.pooled(channels, pooled),
    )


def _block_b(channels: int) -> Branches:
    """Halves the size."""
    return Branches(
        branch0=_row.conv(channels, 384, 3, 2, padding=0),
        branch1=_row(channels, (64, 1), (96, 3), (96, 3), reduces=True),
        branch_pool=nn.MaxPool2d(3, 2),
    )


def _block_c(channels: int, hidden: int) -> Branches:
    """Rows and columns of 7: figure 6 of the paper."""
    flat, tall = (1, 7), (7, 1)
    twice = ((hidden, tall), (hidden, flat), (hidden, tall), (192, flat))
    return Branches(
        branch0=_row.conv(channels, 192),
        branch1=_row(channels, (hidden, 1), (hidden, flat), (192, tall)),
        branch2=_row(channels, (hidden, 1), *twice),
        branch_pool=_row.pooled(channels, 192),
    )


def _block_d(channels: int) -> Branches:
    """Halves the size."""
    return Branches(
        branch0=_row(channels, (192, 1), (320, 3), reduces=True),
        branch1=_row(channels, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3), reduces=True),
        branch_pool=nn.MaxPool2d(3, 2),
    )


class BlockE(nn.Cell):
    """Two branches end in a row and a column beside one another: figure 7 of the paper.

    (B, channels, H, W) -> (B, 2048, H, W).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch0 = _row.conv(channels, 320)
        self.branch1 = _row.conv(channels, 384)
        self.branch1a = _row.conv(384, 384, (1, 3))
        self.branch1b = _row.conv(384, 384, (3, 1))
        self.branch2 = _row(channels, (448, 1), (384, 3))
        self.branch2a = _row.conv(384, 384, (1, 3))
        self.branch2b = _row.conv(384, 384, (3, 1))
        self.branch_pool = _row.pooled(channels, 192)

    def construct(self, x: Tensor) -> Tensor:
        first, second = self.branch1(x), self.branch2(x)
        rows = (self.branch1a(first), self.branch1b(first))
        forks = (*rows, self.branch2a(second), self.branch2b(second))
        return ops.concat((self.branch0(x), *forks, self.branch_pool(x)), 1)


class AuxiliaryHead(nn.Cell):
    """The head beside the main one that the publishers trained; here its weights are only kept."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.pool = nn.AvgPool2d(5, 3, pad_mode="valid")
        self.conv0 = ConvBN(channels, 128)
        self.conv1 = ConvBN(128, 768, 5, padding=0)
        self.fc = nn.Dense(768, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        return self.fc(ops.flatten(self.conv1(self.conv0(self.pool(x)))))


class InceptionV3(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        dropout: float,
        aux_logits: bool,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.feature_info = tuple(_MAPS[index] for index in out_indices or ())
        self.conv1a = ConvBN(in_channels, 32, 3, 2, padding=0)
        self.conv2a = ConvBN(32, 32, 3, padding=0)
        self.conv2b = ConvBN(32, 64, 3)
        self.max_pool = nn.MaxPool2d(3, 2)
        self.conv3b = ConvBN(64, 80)
        self.conv4a = ConvBN(80, 192, 3, padding=0)
        self.inception5b = _block_a(192, 32)
        self.inception5c = _block_a(256, 64)
        self.inception5d = _block_a(288, 64)
        self.inception6a = _block_b(288)
        self.inception6b = _block_c(768, 128)
        self.inception6c = _block_c(768, 160)
        self.inception6d = _block_c(768, 160)
        self.inception6e = _block_c(768, 192)
        if aux_logits and out_indices is None:
            self.aux = AuxiliaryHead(768, num_classes)
        self.inception7a = _block_d(768)
        self.inception7b = BlockE(1280)
        self.inception7c = BlockE(2048)
        if out_indices is None:
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            self.classifier = nn.Dense(2048, num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        stem = self.conv2b(self.conv2a(self.conv1a(x)))
        stage2 = self.conv4a(self.conv3b(self.max_pool(stem)))
        x = self.inception5b(self.max_pool(stage2))
        stage3 = self.inception5d(self.inception5c(x))
        x = self.inception6c(self.inception6b(self.inception6a(stage3)))
        stage4 = self.inception6e(self.inception6d(x))
        stage5 = self.inception7c(self.inception7b(self.inception7a(stage4)))
        if self.out_indices is None:
            return self.classifier(self.dropout(self.pool(stage5)))
        maps = (stem, stage2, stage3, stage4, stage5)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def inception_v3(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    aux_logits: bool = True,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> InceptionV3:
    """Inception v3: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        aux_logits: whether the network owns the auxiliary head's weights, as mindcv's files do.
        features_only: leave out the heads and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at about 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's
            size; several convolutions do not pad. The picture has at least 75 pixels.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = check_out_indices(out_indices, len(_MAPS)) if features_only else None
    return InceptionV3(num_classes, in_channels, dropout, aux_logits, indices)
