"""RegNet: stages whose widths and depths follow from a straight line.

Source: Radosavovic et al., "Designing Network Design Spaces" (2020). Y networks are X networks with
squeeze and excitation. Parameter names are those of mindcv, whose list of stages lost its prefix.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.squeeze_excite import SqueezeExcite

# Stage 0's blocks are `0.blocks.<n>`, those of stage i `0.blocks.<i>.blocks.<n>`.
_NAMES = ((r"stages\.0\.(.+)", r"0.\1"), (r"stages\.(\d+)\.(.+)", r"0.blocks.\1.\2"))


def stages_of(slope: float, width: int, multiplier: float, depth: int) -> list[tuple[int, int]]:
    """(channels, blocks) of each stage.

    Block j is to have `width` + `slope` · j channels; it gets the nearest `width` ·
    `multiplier`^k, rounded to a multiple of 8, and blocks of the same width are a stage.

    >>> stages_of(35.73, 56, 2.28, 16)
    [(64, 1), (128, 3), (288, 7), (672, 5)]
    """
    line = width + slope * np.arange(depth)
    exponents = np.round(np.log(line / width) / np.log(multiplier))
    channels = 8 * np.round(width * multiplier**exponents / 8).astype(int)
    widths, counts = np.unique(channels, return_counts=True)
    return [(int(each), int(count)) for each, count in zip(widths, counts, strict=True)]


class Branch(Cell):
    """1×1, grouped 3×3, weights for channels, 1×1.

    (B, in_channels, H, W) -> (B, channels, H / stride, W / stride).
    """

    def __init__(
        self, in_channels: int, channels: int, stride: int, group_width: int, squeezed: int
    ) -> None:
        super().__init__()
        self.a = conv2d(in_channels, channels, 1)
        self.a_bn = BatchNorm2d(channels)
        self.b = conv2d(channels, channels, 3, stride, groups=channels // group_width)
        self.b_bn = BatchNorm2d(channels)
        self.se = SqueezeExcite(channels, squeezed) if squeezed else None
        self.c = conv2d(channels, channels, 1)
        self.c_bn = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.a_bn(self.a(x)))
        y = ops.relu(self.b_bn(self.b(y)))
        if self.se is not None:
            y = self.se(y)
        return self.c_bn(self.c(y))


class Block(Cell):
    """A branch beside the input: (B, in_channels, H, W) -> (B, channels, H / s, W / s)."""

    def __init__(
        self, in_channels: int, channels: int, stride: int, group_width: int, squeezed: int
    ) -> None:
        super().__init__()
        changes = stride != 1 or in_channels != channels
        self.proj = conv2d(in_channels, channels, 1, stride) if changes else None
        self.bn: nn.Cell = BatchNorm2d(channels) if changes else nn.Identity()
        self.f = Branch(in_channels, channels, stride, group_width, squeezed)

    def construct(self, x: Tensor) -> Tensor:
        identity = x if self.proj is None else self.bn(self.proj(x))
        return ops.relu(identity + self.f(x))


class Stage(Cell):
    """Blocks one after another, the first with stride 2."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        super().__init__()
        self.blocks = nn.SequentialCell(list(blocks))

    def construct(self, x: Tensor) -> Tensor:
        return self.blocks(x)


class Stem(Cell):
    """(B, in_channels, H, W) -> (B, channels, H / 2, W / 2)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, channels, 3, 2)
        self.bn = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu(self.bn(self.conv(x)))


class Head(Cell):
    """(B, channels, H, W) -> logits (B, num_classes)."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Dense(channels, num_classes, weight_init=Normal(0.01))

    def construct(self, x: Tensor) -> Tensor:
        return self.fc(ops.mean(x, (2, 3)))


class RegNet(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        stages: Sequence[tuple[int, int]],
        group_width: int,
        se_ratio: float,
        num_classes: int,
        in_channels: int,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        width = 32
        self.stem = Stem(in_channels, width)
        maps, cells = [FeatureMap(width, 2)], []
        for index, (channels, count) in enumerate(stages):
            group, blocks = min(group_width, channels), []
            # Whole groups only: the design's widths are rounded to them.
            channels = max(group, round(channels / group) * group)
            for place in range(count):
                stride, squeezed = 2 if place == 0 else 1, round(width * se_ratio)
                blocks.append(Block(width, channels, stride, group, squeezed))
                width = channels
            cells.append(Stage(blocks))
            maps.append(FeatureMap(width, 4 * 2**index))
        self.stages = nn.CellList(cells)
        self.feature_info = tuple(maps[index] for index in out_indices or ())
        if out_indices is None:
            self.head = Head(width, num_classes)
        name_parameters(self, _NAMES)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.stem(x)
        maps: tuple[Tensor, ...] = (x,)
        for stage in self.stages:
            x = stage(x)
            maps = (*maps, x)
        if self.out_indices is None:
            return self.head(x)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def regnet(
    depth: int = 16,
    width: int = 56,
    slope: float = 35.73,
    multiplier: float = 2.28,
    group_width: int = 16,
    se_ratio: float = 0.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> RegNet:
    """RegNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    The defaults are RegNetX-800MF's.

    Args:
        depth: number of blocks.
        width: channels that the first block is to have (the paper's w_0).
        slope: channels that each block is to have more than the one before it (w_a).
        multiplier: widths that there are differ by powers of it (w_m).
        group_width: channels of a group in the 3×3 convolutions.
        se_ratio: channels of squeeze and excitation for each of the block's input; 0: it has none
            (X), 0.25: Y.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem (1/2 of the size), 1 to 4 are the stages (1/4, 1/8,
            1/16, 1/32).

    Raises:
        ValueError: a feature index that does not exist.
    """
    stages = stages_of(slope, width, multiplier, depth)
    count = len(stages) + 1
    indices = check_out_indices(out_indices, count) if features_only else None
    return RegNet(stages, group_width, se_ratio, num_classes, in_channels, indices)
