"""NASNet-A with four cells a stage, the "mobile" one.

Source: Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition" (2018).
Parameter names are those of mindcv; the models repository computes the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.nas_cells import EPS, FactorizedPaths, SeparableBranch
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool


def _fit(in_channels: int, out_channels: int) -> nn.SequentialCell:
    """ReLU, 1×1 convolution, batch norm."""
    return nn.SequentialCell(
        [nn.ReLU(), conv2d(in_channels, out_channels, 1), BatchNorm2d(out_channels, EPS)]
    )


class _NormalCell(FactorizedPaths):
    """Five sums of branches of `main` and `other`, (B, channels, H, W), beside `other`.

    Gives (B, 6 · channels, H, W): figure 4 of the paper.
    """

    def add_branches(self, channels: int) -> None:
        self.comb_iter_0_left = SeparableBranch(channels, channels, 5)
        self.comb_iter_0_right = SeparableBranch(channels, channels, 3)
        self.comb_iter_1_left = SeparableBranch(channels, channels, 5)
        self.comb_iter_1_right = SeparableBranch(channels, channels, 3)
        self.average = nn.AvgPool2d(3, 1, pad_mode="same")
        self.comb_iter_4_left = SeparableBranch(channels, channels, 3)

    def combine(self, main: Tensor, other: Tensor) -> Tensor:
        sum0 = self.comb_iter_0_left(main) + self.comb_iter_0_right(other)
        sum1 = self.comb_iter_1_left(other) + self.comb_iter_1_right(other)
        sum2 = self.average(main) + other
        averaged = self.average(other)
        sum4 = self.comb_iter_4_left(main) + main
        return ops.concat((other, sum0, sum1, sum2, averaged + averaged, sum4), 1)


class NormalCell(_NormalCell):
    """The cell before has this one's size."""

    def __init__(self, before: int, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv_prev_1x1 = _fit(before, channels)
        self.conv_1x1 = _fit(in_channels, channels)
        self.add_branches(channels)

    def construct(self, x: Tensor, before: Tensor) -> Tensor:
        return self.combine(self.conv_1x1(x), self.conv_prev_1x1(before))


class FirstCell(_NormalCell):
    """The cell before has twice this one's size."""

    def __init__(self, before: int, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv_1x1 = _fit(in_channels, channels)
        self.add_paths(before, channels, named=False)
        self.add_branches(channels)

    def construct(self, x: Tensor, before: Tensor) -> Tensor:
        return self.combine(self.conv_1x1(x), self.halve(before))


class _ReductionCell(FactorizedPaths):
    """The same at half the size: gives (B, 4 · channels, H / 2, W / 2)."""

    def add_branches(
        self, other: int, channels: int, widens_first: bool = False, shifted: bool = False
    ) -> None:
        """`other`: channels of the other input; the main one has `channels`."""
        kinds = {"widens_first": widens_first, "shifted": shifted}
        self.comb_iter_0_left = SeparableBranch(channels, channels, 5, 2, shifted=shifted)
        self.comb_iter_0_right = SeparableBranch(other, channels, 7, 2, **kinds)
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="same")
        self.comb_iter_1_right = SeparableBranch(other, channels, 7, 2, **kinds)
        self.average_pool = nn.AvgPool2d(3, 2, pad_mode="same")
        self.comb_iter_2_right = SeparableBranch(other, channels, 5, 2, **kinds)
        self.average = nn.AvgPool2d(3, 1, pad_mode="same")
        self.comb_iter_4_left = SeparableBranch(channels, channels, 3, shifted=shifted)

    def combine(self, main: Tensor, other: Tensor) -> Tensor:
        pooled = self.max_pool(main)
        sum0 = self.comb_iter_0_left(main) + self.comb_iter_0_right(other)
        sum1 = pooled + self.comb_iter_1_right(other)
        sum2 = self.average_pool(main) + self.comb_iter_2_right(other)
        sum3 = self.average(sum0) + sum1
        sum4 = self.comb_iter_4_left(sum0) + pooled
        return ops.concat((sum1, sum2, sum3, sum4), 1)


class FirstStemCell(_ReductionCell):
    """Both inputs are the first convolution's output."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv_1x1 = _fit(in_channels, channels)
        self.add_branches(in_channels, channels, widens_first=True)

    def construct(self, x: Tensor) -> Tensor:
        return self.combine(self.conv_1x1(x), x)


class SecondStemCell(_ReductionCell):
    """The other input is the first convolution's output, halved."""

    def __init__(self, before: int, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv_1x1 = _fit(in_channels, channels)
        self.add_paths(before, channels, named=False)
        self.add_branches(channels, channels)

    def construct(self, x: Tensor, before: Tensor) -> Tensor:
        return self.combine(self.conv_1x1(x), self.halve(before))


class ReductionCell(_ReductionCell):
    """The cell before has this one's input's size."""

    def __init__(self, before: int, in_channels: int, channels: int, shifted: bool) -> None:
        super().__init__()
        self.conv_prev_1x1 = _fit(before, channels)
        self.conv_1x1 = _fit(in_channels, channels)
        self.add_branches(channels, channels, shifted=shifted)

    def construct(self, x: Tensor, before: Tensor) -> Tensor:
        return self.combine(self.conv_1x1(x), self.conv_prev_1x1(before))


class NASNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        dropout: float,
        stem_channels: int,
        last_channels: int,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        base = last_channels // 24
        self.conv0 = nn.SequentialCell(
            [conv2d(in_channels, stem_channels, 3, 2, padding=0), BatchNorm2d(stem_channels, EPS)]
        )
        self.cell_stem_0 = FirstStemCell(stem_channels, base // 4)
        self.cell_stem_1 = SecondStemCell(stem_channels, 4 * (base // 4), base // 2)
        self.cell_0 = FirstCell(base, 2 * base, base)
        self.cell_1 = NormalCell(2 * base, 6 * base, base)
        self.cell_2 = NormalCell(6 * base, 6 * base, base)
        self.cell_3 = NormalCell(6 * base, 6 * base, base)
        self.reduction_cell_0 = ReductionCell(6 * base, 6 * base, 2 * base, shifted=True)
        self.cell_6 = FirstCell(6 * base, 8 * base, 2 * base)
        self.cell_7 = NormalCell(8 * base, 12 * base, 2 * base)
        self.cell_8 = NormalCell(12 * base, 12 * base, 2 * base)
        self.cell_9 = NormalCell(12 * base, 12 * base, 2 * base)
        self.reduction_cell_1 = ReductionCell(12 * base, 12 * base, 4 * base, shifted=False)
        self.cell_12 = FirstCell(12 * base, 16 * base, 4 * base)
        self.cell_13 = NormalCell(16 * base, 24 * base, 4 * base)
        self.cell_14 = NormalCell(24 * base, 24 * base, 4 * base)
        self.cell_15 = NormalCell(24 * base, 24 * base, 4 * base)
        widths = (stem_channels, 4 * (base // 4), 6 * base, 12 * base, 24 * base)
        self.out_indices = out_indices
        self.feature_info = tuple(
            FeatureMap(widths[index], 2 ** (index + 1)) for index in out_indices or ()
        )
        if out_indices is None:
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            self.classifier = nn.Dense(24 * base, num_classes, weight_init=Normal(0.01))

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        stem = self.conv0(x)
        stem0 = self.cell_stem_0(stem)
        stem1 = self.cell_stem_1(stem0, stem)
        x0 = self.cell_0(stem1, stem0)
        x1 = self.cell_1(x0, stem1)
        x2 = self.cell_2(x1, x0)
        x3 = self.cell_3(x2, x1)
        reduced = self.reduction_cell_0(x3, x2)
        x6 = self.cell_6(reduced, x3)
        x7 = self.cell_7(x6, reduced)
        x8 = self.cell_8(x7, x6)
        x9 = self.cell_9(x8, x7)
        reduced = self.reduction_cell_1(x9, x8)
        x12 = self.cell_12(reduced, x9)
        x13 = self.cell_13(x12, reduced)
        x14 = self.cell_14(x13, x12)
        x15 = ops.relu(self.cell_15(x14, x13))
        if self.out_indices is None:
            return self.classifier(self.dropout(self.pool(x15)))
        maps = (stem, stem0, x3, x9, x15)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def nasnet(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    stem_channels: int = 32,
    last_channels: int = 1056,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> NASNet:
    """NASNet-A: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        stem_channels: of the first convolution.
        last_channels: of the last map; a multiple of 96.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at about 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's
            size; the first convolution does not pad.

    Pictures have a multiple of 32 pixels on a side: the shifted cells need maps of even sizes.

    Raises:
        ValueError: a width that does not divide, or a feature index that does not exist.
    """
    if last_channels % 96:
        raise ValueError(f"nasnet: last_channels={last_channels} is no multiple of 96")
    indices = check_out_indices(out_indices, 5) if features_only else None
    return NASNet(num_classes, in_channels, dropout, stem_channels, last_channels, indices)
