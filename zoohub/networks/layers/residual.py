"""The frame and the blocks that ResNet and its descendants have in common.

Source: He et al., "Deep Residual Learning for Image Recognition" (2015), with the stride in the
3×3 convolution ("v1.5"); groups after Xie et al., "Aggregated Residual Transformations" (2016).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeUniform

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import Padding, conv2d
from zoohub.networks.layers.features import FeatureMap
from zoohub.networks.layers.grouped_conv import grouped_conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import ZeroPadMaxPool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands: `index` among the `count` blocks of its `stage`, 0 to 3."""

    stage: int
    index: int
    count: int

    @property
    def first(self) -> bool:
        return self.index == 0

    @property
    def last(self) -> bool:
        return self.index == self.count - 1


# in_channels, channels (before expansion), stride, place -> block
MakeBlock: TypeAlias = Callable[[int, int, int, Place], nn.Cell]

BLOCKS_PER_STAGE = {
    14: (1, 1, 1, 1),
    18: (2, 2, 2, 2),
    26: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    154: (3, 8, 36, 3),
    200: (3, 24, 36, 3),
    269: (3, 30, 48, 8),
}


def blocks_of(family: str, depth: int, depths: Sequence[int]) -> tuple[int, ...]:
    """Blocks in each of the four stages of a network of `depth` layers.

    Raises:
        ValueError: the family has no such depth.
    """
    if depth not in depths:
        raise ValueError(f"{family} has depths {list(depths)}, not {depth}")
    return BLOCKS_PER_STAGE[depth]


@dataclass(frozen=True, slots=True)
class Numerics:
    """Where publishers differ though the parameters have the same shapes.

    `conv_padding` is of convolutions with stride 2, `pool_padding` of the stem's pooling,
    `bn_eps` of batch norms on the residual branches, `outer_bn_eps` of the others. With
    `rectified_sum` a bottleneck's branch and shortcut go through a ReLU before they are added too;
    with `stride_first` its stride is the first 1×1 convolution's ("v1").
    """

    conv_padding: Padding = "symmetric"
    pool_padding: Padding = "same"
    bn_eps: float = 1e-5
    outer_bn_eps: float = 1e-5
    rectified_sum: bool = False
    stride_first: bool = False

    def __post_init__(self) -> None:
        for name in ("conv_padding", "pool_padding"):
            padding = getattr(self, name)
            if padding not in ("symmetric", "same"):
                raise ValueError(f'{name} is "symmetric" or "same", not {padding!r}')

    def stem_pool(self) -> nn.Cell:
        """(B, C, H, W) -> (B, C, H / 2, W / 2): the pooling between stem and first stage."""
        if self.pool_padding == "same":
            return nn.MaxPool2d(3, 2, pad_mode="same")
        return ZeroPadMaxPool()


def shortcut(
    in_channels: int, out_channels: int, stride: int, numerics: Numerics
) -> nn.Cell | None:
    """A 1×1 convolution where the block changes the shape, None where it does not."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.SequentialCell(
        [
            conv2d(in_channels, out_channels, 1, stride, numerics.conv_padding),
            BatchNorm2d(out_channels, eps=numerics.outer_bn_eps),
        ]
    )


class BasicBlock(Cell):
    """Two 3×3 convolutions: (B, in_channels, H, W) -> (B, channels, H / stride, W / stride)."""

    expansion = 1

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        numerics: Numerics,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        padding = numerics.conv_padding
        self.conv1 = conv2d(in_channels, channels, 3, stride, padding, dilation=dilation)
        self.bn1 = BatchNorm2d(channels, eps=numerics.bn_eps)
        self.conv2 = conv2d(channels, channels, 3, 1, padding, dilation=dilation)
        self.bn2 = BatchNorm2d(channels, eps=numerics.bn_eps)
        self.down_sample = shortcut(in_channels, channels, stride, numerics)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        identity = x if self.down_sample is None else self.down_sample(x)
        return ops.relu(y + identity)


class BottleneckBlock(Cell):
    """1×1, 3×3, 1×1: (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride).

    The 3×3 convolution has `groups` groups, together `base_width` / 64 · `groups` times as wide as
    `channels`, and `dilation`; `split_groups` stores its weight group by group.
    """

    expansion = 4

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        numerics: Numerics,
        groups: int = 1,
        base_width: int = 64,
        split_groups: bool = False,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        out_channels, eps = self.expansion * channels, numerics.bn_eps
        width = channels * base_width // 64 * groups
        padding = numerics.conv_padding
        first, second = (stride, 1) if numerics.stride_first else (1, stride)
        self.conv1 = conv2d(in_channels, width, 1, first)
        self.bn1 = BatchNorm2d(width, eps=eps)
        self.conv2 = grouped_conv2d(
            width, width, 3, second, padding, groups, split_groups, dilation
        )
        self.bn2 = BatchNorm2d(width, eps=eps)
        self.conv3 = conv2d(width, out_channels, 1)
        self.bn3 = BatchNorm2d(out_channels, eps=eps)
        self.down_sample = shortcut(in_channels, out_channels, stride, numerics)
        self.rectified_sum = numerics.rectified_sum

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = ops.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        identity = x if self.down_sample is None else self.down_sample(x)
        if self.rectified_sum:
            return ops.relu(y) + ops.relu(identity)
        return ops.relu(y + identity)


def classifier(channels: int, num_classes: int, bias: bool = True) -> nn.Dense:
    """(B, channels) -> logits (B, num_classes)."""
    init = HeUniform(mode="fan_in", nonlinearity="sigmoid")
    return nn.Dense(channels, num_classes, weight_init=init, has_bias=bias)


def deep_stem(
    in_channels: int,
    hidden: int,
    out_channels: int,
    padding: Padding = "symmetric",
    eps: float = 1e-5,
    norm: Callable[[int, float], nn.Cell] = BatchNorm2d,
) -> nn.SequentialCell:
    """Three 3×3 convolutions in place of the 7×7; the last one's norm is the network's `bn1`.

    (B, in_channels, H, W) -> (B, out_channels, H / 2, W / 2).
    """
    return nn.SequentialCell(
        [
            conv2d(in_channels, hidden, 3, 2, padding),
            norm(hidden, eps),
            nn.ReLU(),
            conv2d(hidden, hidden, 3),
            norm(hidden, eps),
            nn.ReLU(),
            conv2d(hidden, out_channels, 3),
        ]
    )


class ResidualNetwork(Cell):
    """Stem, max pooling, four stages, head.

    (B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`: 0 is
    the stem before pooling (1/2 of the size), 1 to 4 are the stages (1/4, 1/8, 1/16, 1/32).

    A subclass makes the stem's cells and `max_pool`, calls `add_stages`, and makes the head's
    cells unless `out_indices` are given: that is the order of parameters in checkpoints. `stem`
    and `head` say what these cells compute.
    """

    out_indices: tuple[int, ...] | None = None

    def add_stages(
        self,
        make_block: MakeBlock,
        blocks_per_stage: Sequence[int],
        stem_channels: int,
        out_indices: tuple[int, ...] | None,
        expansion: int = 4,
        width: int = 64,
        strides: Sequence[int] = (1, 2, 2, 2),
        stem_strides: tuple[int, int] = (2, 2),
    ) -> int:
        """Make `layer1` to `layer4`, of `width`, twice, four and eight times the channels (each
        times `expansion`), and return what the last one gives. `strides` are the stages',
        `stem_strides` those of the stem and its pooling."""
        maps, stages = [FeatureMap(stem_channels, stem_strides[0])], []
        channels, total = stem_channels, stem_strides[0] * stem_strides[1]
        for index, repeats in enumerate(blocks_per_stage):
            hidden, blocks = width * 2**index, []
            for place in (Place(index, each, repeats) for each in range(repeats)):
                stride = strides[index] if place.first else 1
                blocks.append(make_block(channels, hidden, stride, place))
                channels = hidden * expansion
            stages.append(nn.SequentialCell(blocks))
            total *= strides[index]
            maps.append(FeatureMap(channels, total))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.out_indices = out_indices
        self.feature_info = tuple(maps[index] for index in out_indices or ())
        return channels

    def stem(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, stem_channels, H / 2, W / 2)."""
        return ops.relu(self.bn1(self.conv1(x)))

    def head(self, x: Tensor) -> Tensor:
        """(B, C, H / 32, W / 32) -> (B, num_classes)."""
        return self.classifier(ops.mean(x, (2, 3)))

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        stem = self.stem(x)
        stage1 = self.layer1(self.max_pool(stem))
        stage2 = self.layer2(stage1)
        stage3 = self.layer3(stage2)
        stage4 = self.layer4(stage3)
        if self.out_indices is None:
            return self.head(stage4)
        return self.chosen((stem, stage1, stage2, stage3, stage4))

    def chosen(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The `maps` that `out_indices` ask for."""
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices or ():
            chosen = (*chosen, maps[index])
        return chosen
