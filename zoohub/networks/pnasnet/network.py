"""PNASNet-5, the "mobile" one.

Source: Liu et al., "Progressive Neural Architecture Search" (2018). Parameter names are those of
mindcv; the models repository computes the same.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.nas_cells import EPS, FactorizedPaths, SeparableBranch
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

_STEM, _BASE = 32, 54  # channels of the first convolution, and of a branch at 1/8 of the size


class ShiftedMaxPool(nn.Cell):
    """Max pooling of 3×3 windows; `shifted` as in `SeparableBranch`."""

    def __init__(self, stride: int, shifted: bool = False) -> None:
        super().__init__()
        self.pad = nn.Pad(((0, 0), (0, 0), (1, 0), (1, 0))) if shifted else None
        self.pool = nn.MaxPool2d(3, stride, pad_mode="same")

    def construct(self, x: Tensor) -> Tensor:
        return self.pool(x) if self.pad is None else self.pool(self.pad(x))[:, :, 1:, 1:]


class ReluConvNorm(nn.Cell):
    """(B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, 1, stride)
        self.bn = BatchNorm2d(out_channels, EPS)

    def construct(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(ops.relu(x)))


class FactorizedReduction(FactorizedPaths):
    """(B, in_channels, H, W) -> (B, out_channels, H / 2, W / 2)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.add_paths(in_channels, out_channels, named=True)

    def construct(self, x: Tensor) -> Tensor:
        return self.halve(x)


class _Cell(nn.Cell):
    """Five sums of branches of two inputs, concatenated: figure 1 of the paper."""

    def combine(self, left: Tensor, right: Tensor) -> Tensor:
        sum0 = self.comb_iter_0_left(left) + self.comb_iter_0_right(left)
        sum1 = self.comb_iter_1_left(right) + self.comb_iter_1_right(right)
        sum2 = self.comb_iter_2_left(right) + self.comb_iter_2_right(right)
        sum3 = self.comb_iter_3_left(sum2) + self.comb_iter_3_right(right)
        kept = right if self.comb_iter_4_right is None else self.comb_iter_4_right(right)
        sum4 = self.comb_iter_4_left(left) + kept
        return ops.concat((sum0, sum1, sum2, sum3, sum4), 1)


class StemCell(_Cell):
    """(B, in_channels, H, W) -> (B, 5 · channels, H / 2, W / 2), from one input."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv_1x1 = ReluConvNorm(in_channels, channels)
        self.comb_iter_0_left = SeparableBranch(in_channels, channels, 5, 2, widens_first=True)
        self.comb_iter_0_right = nn.SequentialCell(
            OrderedDict(
                max_pool=ShiftedMaxPool(2),
                conv=conv2d(in_channels, channels, 1),
                bn=BatchNorm2d(channels, EPS),
            )
        )
        self.comb_iter_1_left = SeparableBranch(channels, channels, 7, 2)
        self.comb_iter_1_right = ShiftedMaxPool(2)
        self.comb_iter_2_left = SeparableBranch(channels, channels, 5, 2)
        self.comb_iter_2_right = SeparableBranch(channels, channels, 3, 2)
        self.comb_iter_3_left = SeparableBranch(channels, channels, 3)
        self.comb_iter_3_right = ShiftedMaxPool(2)
        self.comb_iter_4_left = SeparableBranch(in_channels, channels, 3, 2, widens_first=True)
        self.comb_iter_4_right = ReluConvNorm(channels, channels, 2)

    def construct(self, x: Tensor) -> Tensor:
        return self.combine(x, self.conv_1x1(x))


class Cell(_Cell):
    """(B, before, …) and (B, in_channels, H, W) -> (B, 5 · channels, H / stride, W / stride).

    `halves`: the cell before has twice the input's size.
    """

    def __init__(
        self,
        before: int,
        in_channels: int,
        channels: int,
        stride: int = 1,
        halves: bool = False,
        shifted: bool = False,
    ) -> None:
        super().__init__()
        fit = FactorizedReduction if halves else ReluConvNorm
        self.conv_prev_1x1 = fit(before, channels)
        self.conv_1x1 = ReluConvNorm(in_channels, channels)
        self.comb_iter_0_left = SeparableBranch(channels, channels, 5, stride, shifted=shifted)
        self.comb_iter_0_right = ShiftedMaxPool(stride, shifted)
        self.comb_iter_1_left = SeparableBranch(channels, channels, 7, stride, shifted=shifted)
        self.comb_iter_1_right = ShiftedMaxPool(stride, shifted)
        self.comb_iter_2_left = SeparableBranch(channels, channels, 5, stride, shifted=shifted)
        self.comb_iter_2_right = SeparableBranch(channels, channels, 3, stride, shifted=shifted)
        self.comb_iter_3_left = SeparableBranch(channels, channels, 3)
        self.comb_iter_3_right = ShiftedMaxPool(stride, shifted)
        self.comb_iter_4_left = SeparableBranch(channels, channels, 3, stride, shifted=shifted)
        self.comb_iter_4_right = None
        if stride == 2:
            self.comb_iter_4_right = ReluConvNorm(channels, channels, 2)

    def construct(self, before: Tensor, x: Tensor) -> Tensor:
        return self.combine(self.conv_prev_1x1(before), self.conv_1x1(x))


class PNASNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        dropout: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        one, two, four = _BASE, 2 * _BASE, 4 * _BASE
        stem0, stem1 = _BASE // 4, _BASE // 2
        stem = OrderedDict(
            conv=conv2d(in_channels, _STEM, 3, 2, padding=0), bn=BatchNorm2d(_STEM, EPS)
        )
        self.conv_0 = nn.SequentialCell(stem)
        self.cell_stem_0 = StemCell(_STEM, stem0)
        self.cell_stem_1 = Cell(_STEM, 5 * stem0, stem1, stride=2, halves=True)
        self.cell_0 = Cell(5 * stem0, 5 * stem1, one, halves=True)
        self.cell_1 = Cell(5 * stem1, 5 * one, one)
        self.cell_2 = Cell(5 * one, 5 * one, one)
        self.cell_3 = Cell(5 * one, 5 * one, two, stride=2, shifted=True)
        self.cell_4 = Cell(5 * one, 5 * two, two, halves=True)
        self.cell_5 = Cell(5 * two, 5 * two, two)
        self.cell_6 = Cell(5 * two, 5 * two, four, stride=2)
        self.cell_7 = Cell(5 * two, 5 * four, four, halves=True)
        self.cell_8 = Cell(5 * four, 5 * four, four)
        widths = (_STEM, 5 * stem0, 5 * one, 5 * two, 5 * four)
        self.out_indices = out_indices
        self.feature_info = tuple(
            FeatureMap(widths[index], 2 ** (index + 1)) for index in out_indices or ()
        )
        if out_indices is None:
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            self.last_linear = nn.Dense(5 * four, num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        stem = self.conv_0(x)
        stem0 = self.cell_stem_0(stem)
        stem1 = self.cell_stem_1(stem, stem0)
        x0 = self.cell_0(stem0, stem1)
        x1 = self.cell_1(stem1, x0)
        x2 = self.cell_2(x0, x1)
        x3 = self.cell_3(x1, x2)
        x4 = self.cell_4(x2, x3)
        x5 = self.cell_5(x3, x4)
        x6 = self.cell_6(x4, x5)
        x7 = self.cell_7(x5, x6)
        x8 = ops.relu(self.cell_8(x6, x7))
        if self.out_indices is None:
            return self.last_linear(self.dropout(self.pool(x8)))
        maps = (stem, stem0, x2, x5, x8)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def pnasnet(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> PNASNet:
    """PNASNet-5: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at about 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's
            size; the first convolution does not pad.

    Pictures have a multiple of 32 pixels on a side: the shifted cells need maps of even sizes.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = check_out_indices(out_indices, 5) if features_only else None
    return PNASNet(num_classes, in_channels, dropout, indices)
