"""DenseNet: every layer of a block reads all that the layers before it gave.

Source: Huang et al., "Densely Connected Convolutional Networks" (2016). Parameter names are those
of mindcv. The MindSpore models repository pools otherwise: `stem_pool`, `transition_pool`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import Padding, conv2d
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import Numerics, classifier

# Channels of a layer's 1×1 convolution for each that it adds.
_BOTTLENECK = 4


class DenseLayer(nn.Cell):
    """Norm, activation, 1×1; the same with 3×3: (B, C, H, W) -> (B, growth, H, W)."""

    def __init__(self, in_channels: int, growth: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = BatchNorm2d(in_channels)
        self.conv1 = conv2d(in_channels, _BOTTLENECK * growth, 1)
        self.norm2 = BatchNorm2d(_BOTTLENECK * growth)
        self.conv2 = conv2d(_BOTTLENECK * growth, growth, 3)
        self.dropout = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv1(ops.relu(self.norm1(x)))
        return self.dropout(self.conv2(ops.relu(self.norm2(y))))


class DenseBlock(nn.Cell):
    """(B, C, H, W) -> (B, C + depth · growth, H, W)."""

    def __init__(self, in_channels: int, depth: int, growth: int, dropout: float) -> None:
        super().__init__()
        self.cell_list = nn.CellList(
            [DenseLayer(in_channels + index * growth, growth, dropout) for index in range(depth)]
        )

    def construct(self, x: Tensor) -> Tensor:
        for layer in self.cell_list:
            x = ops.concat((x, layer(x)), 1)
        return x


class Transition(nn.Cell):
    """(B, C, H, W) -> (B, C // 2, H / 2, W / 2)."""

    def __init__(self, in_channels: int, pool: str) -> None:
        super().__init__()
        pooling = nn.AvgPool2d if pool == "average" else nn.MaxPool2d
        cells: list[tuple[str, nn.Cell]] = [
            ("norm", BatchNorm2d(in_channels)),
            ("relu", nn.ReLU()),
            ("conv", conv2d(in_channels, in_channels // 2, 1)),
            ("pool", pooling(2, 2, pad_mode="valid")),
        ]
        self.features = nn.SequentialCell(OrderedDict(cells))

    def construct(self, x: Tensor) -> Tensor:
        return self.features(x)


class DenseNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depths: Sequence[int],
        growth: int,
        stem: Sequence[nn.Cell],
        stem_map: FeatureMap,
        pooled: int,
        transition_pool: str,
        num_classes: int,
        dropout: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        names = ("conv0", "norm0", "relu0", "pool0")
        cells: list[tuple[str, nn.Cell]] = list(zip(names, stem, strict=False))
        maps, ends, channels = [stem_map], [2], stem_map.channels
        for index, depth in enumerate(depths):
            cells.append((f"denseblock{index + 1}", DenseBlock(channels, depth, growth, dropout)))
            channels += depth * growth
            maps.append(FeatureMap(channels, stem_map.stride * pooled * 2**index))
            ends.append(len(cells) - 1)
            if index + 1 < len(depths):
                cells.append((f"transition{index + 1}", Transition(channels, transition_pool)))
                channels //= 2
        self.features_only = out_indices is not None
        self.ends = tuple(ends[index] for index in out_indices or ())
        self.feature_info = tuple(maps[index] for index in out_indices or ())
        if out_indices is None:
            cells += [("norm5", BatchNorm2d(channels)), ("relu5", nn.ReLU())]
        self.features = nn.SequentialCell(OrderedDict(cells))
        if out_indices is None:
            self.classifier = classifier(channels, num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        chosen: tuple[Tensor, ...] = ()
        for index, cell in enumerate(self.features.cell_list):
            x = cell(x)
            if index in self.ends:
                chosen = (*chosen, x)
        return chosen if self.features_only else self.classifier(ops.mean(x, (2, 3)))


def densenet(
    depths: Sequence[int] = (6, 12, 24, 16),
    growth: int = 32,
    stem_channels: int = 64,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    small_stem: bool = False,
    stem_pool: Padding = "symmetric",
    transition_pool: str = "average",
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> DenseNet:
    """DenseNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    The defaults are DenseNet-121's.

    Args:
        depths: layers of each block.
        growth: channels that each layer adds.
        stem_channels: channels of the first convolution.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of each layer's results set to zero in training.
        small_stem: a 3×3 convolution that keeps the size, for pictures of 32×32, in place of 7×7
            and pooling.
        stem_pool: padding of the stem's pooling: "symmetric" (mindcv) or "same".
        transition_pool: between blocks: "average" (mindcv) or "max".
        features_only: leave out the last norm and the classifier, return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), the others are the
            blocks (1/4, 1/8, 1/16, 1/32); with `small_stem`, 1/1, and 1/1, 1/2, 1/4.

    Raises:
        ValueError: an unknown pooling or padding, or a feature index that does not exist.
    """
    if transition_pool not in ("average", "max"):
        raise ValueError(f'transition_pool is "average" or "max", not {transition_pool!r}')
    kernel, stride = (3, 1) if small_stem else (7, 2)
    stem: list[nn.Cell] = [
        conv2d(in_channels, stem_channels, kernel, stride),
        BatchNorm2d(stem_channels),
        nn.ReLU(),
    ]
    if not small_stem:
        stem.append(Numerics(pool_padding=stem_pool).stem_pool())
    return DenseNet(
        depths,
        growth,
        stem,
        FeatureMap(stem_channels, stride),
        1 if small_stem else 2,
        transition_pool,
        num_classes,
        dropout,
        check_out_indices(out_indices, len(depths) + 1) if features_only else None,
    )
