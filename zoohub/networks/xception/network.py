"""Xception.

Source: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions" (2017). Parameter
names are those of mindcv; the models repository computes the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, check_out_indices, stage_ends
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

# channels of each separable convolution, stride: figure 5 of the paper
_BLOCKS: tuple[tuple[tuple[int, ...], int], ...] = (
    ((128, 128), 2),
    ((256, 256), 2),
    ((728, 728), 2),
    *(((728, 728, 728), 1),) * 8,
    ((728, 1024), 2),
)


class SeparableConv(Cell):
    """A 3×3 convolution of each channel, then a 1×1 one.

    (B, in_channels, H, W) -> (B, out_channels, H, W).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, in_channels, 3, groups=in_channels)
        self.pointwise = conv2d(in_channels, out_channels, 1)

    def construct(self, x: Tensor) -> Tensor:
        return self.pointwise(self.conv1(x))


class Block(Cell):
    """Separable convolutions with norms, and the input beside them.

    (B, in_channels, H, W) -> (B, channels[-1], H / stride, W / stride).
    """

    def __init__(
        self, in_channels: int, channels: Sequence[int], stride: int, starts_with_relu: bool
    ) -> None:
        super().__init__()
        self.skip = None
        if in_channels != channels[-1] or stride != 1:
            self.skip = conv2d(in_channels, channels[-1], 1, stride)
            self.skipbn = BatchNorm2d(channels[-1])
        layers: list[nn.Cell] = []
        before = in_channels
        for own in channels:
            layers += [nn.ReLU(), SeparableConv(before, own), BatchNorm2d(own)]
            before = own
        if not starts_with_relu:
            layers = layers[1:]
        if stride != 1:
            layers.append(nn.MaxPool2d(3, stride, pad_mode="same"))
        self.rep = nn.SequentialCell(layers)

    def construct(self, x: Tensor) -> Tensor:
        shortcut = x if self.skip is None else self.skipbn(self.skip(x))
        return self.rep(x) + shortcut


class Xception(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        dropout: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, 32, 3, 2, padding=0)
        self.bn1 = BatchNorm2d(32)
        self.conv2 = conv2d(32, 64, 3, padding=0)
        self.bn2 = BatchNorm2d(64)
        blocks: list[nn.Cell] = []
        maps = [FeatureMap(64, 2)]
        for sizes, stride in _BLOCKS:
            blocks.append(Block(maps[-1].channels, sizes, stride, bool(blocks)))
            maps.append(FeatureMap(sizes[-1], maps[-1].stride * stride))
        self.blocks = nn.CellList(blocks)
        # Place 0 is the stem, place i block i - 1; the last map lies behind the last convolutions.
        maps[-1] = FeatureMap(2048, maps[-1].stride)
        ends = stage_ends(maps)
        self.places = tuple(ends[index] for index in out_indices or ())
        self.feature_info = tuple(maps[place] for place in self.places)
        self.last = len(blocks)
        self.conv3 = SeparableConv(1024, 1536)
        self.bn3 = BatchNorm2d(1536)
        self.conv4 = SeparableConv(1536, 2048)
        self.bn4 = BatchNorm2d(2048)
        self.features_only = out_indices is not None
        if out_indices is None:
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            self.classifier = nn.Dense(2048, num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = ops.relu(self.bn1(self.conv1(x)))
        x = ops.relu(self.bn2(self.conv2(x)))
        maps: tuple[Tensor, ...] = (x,) if 0 in self.places else ()
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number + 1 in self.places and number + 1 < self.last:
                maps = (*maps, x)
        x = ops.relu(self.bn3(self.conv3(x)))
        x = ops.relu(self.bn4(self.conv4(x)))
        if self.features_only:
            return (*maps, x) if self.last in self.places else maps
        return self.classifier(self.dropout(self.pool(x)))


def xception(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> Xception:
    """Xception: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at about 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's
            size; the first two convolutions do not pad.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = check_out_indices(out_indices, 5) if features_only else None
    return Xception(num_classes, in_channels, dropout, indices)
