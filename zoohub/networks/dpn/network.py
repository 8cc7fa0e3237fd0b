"""DPN: blocks that add to one set of channels and append to another.

Source: Chen et al., "Dual Path Networks" (2017). Parameter names are those of mindcv, which the
MindSpore models repository shares; trained on Ascend it stores grouped weights one by one
(`split_groups`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.grouped_conv import grouped_conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import classifier

_EPS = 1e-3


class DualBranch(nn.Cell):
    """1×1, grouped 3×3, two 1×1, with norm and activation before each.

    (B, in_channels, H, W) -> (B, added, H / stride, W / stride) to add and (B, grown, …) to append.
    """

    def __init__(
        self,
        in_channels: int,
        hidden: int,
        added: int,
        grown: int,
        stride: int,
        groups: int,
        split_groups: bool,
    ) -> None:
        super().__init__()
        self.bn1 = BatchNorm2d(in_channels, _EPS)
        self.conv1 = conv2d(in_channels, hidden, 1)
        self.bn2 = BatchNorm2d(hidden, _EPS)
        self.conv2 = grouped_conv2d(hidden, hidden, 3, stride, groups=groups, split=split_groups)
        self.bn3 = BatchNorm2d(hidden, _EPS)
        self.conv3_r = conv2d(hidden, added, 1)
        self.conv3_d = conv2d(hidden, grown, 1)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = self.conv1(ops.relu(self.bn1(x)))
        y = self.conv2(ops.relu(self.bn2(y)))
        y = ops.relu(self.bn3(y))
        return self.conv3_r(y), self.conv3_d(y)


class DualPathBlock(nn.Cell):
    """(residual, dense) channels -> the same with the branch's results added and appended.

    A `projects` block, the first of its stage, makes both anew from all channels, 2 `grown` dense
    ones; `single`: it gets one tensor instead of a pair.
    """

    def __init__(
        self,
        in_channels: int,
        hidden: int,
        added: int,
        grown: int,
        stride: int,
        groups: int,
        split_groups: bool,
        projects: bool,
        single: bool,
    ) -> None:
        super().__init__()
        self.projects, self.single = projects, single
        if projects:
            self.c1x1_w_bn = BatchNorm2d(in_channels, _EPS)
            self.c1x1_w_r = conv2d(in_channels, added, 1, stride)
            self.c1x1_w_d = conv2d(in_channels, 2 * grown, 1, stride)
        self.layers = DualBranch(in_channels, hidden, added, grown, stride, groups, split_groups)

    def construct(self, x: Tensor | tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        whole = x if self.single else ops.concat((x[0], x[1]), 1)
        if self.projects:
            projected = ops.relu(self.c1x1_w_bn(whole))
            residual, dense = self.c1x1_w_r(projected), self.c1x1_w_d(projected)
        else:
            residual, dense = x[0], x[1]
        to_add, to_append = self.layers(whole)
        return residual + to_add, ops.concat((dense, to_append), 1)


class DPN(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        stem_channels: int,
        width: int,
        groups: int,
        depths: Sequence[int],
        growths: Sequence[int],
        num_classes: int,
        in_channels: int,
        split_groups: bool,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        stem = [
            ("conv", conv2d(in_channels, stem_channels, 7, 2)),
            ("norm", BatchNorm2d(stem_channels, _EPS)),
            ("relu", nn.ReLU()),
        ]
        cells: list[tuple[str, nn.Cell]] = [("conv1", nn.SequentialCell(OrderedDict(stem)))]
        maps, ends, channels = [FeatureMap(stem_channels, 2)], [0], stem_channels
        for stage, (depth, grown) in enumerate(zip(depths, growths, strict=True)):
            added, hidden = 256 * 2**stage, width * 2**stage
            for place in range(depth):
                first = place == 0
                stride = 2 if first and stage > 0 else 1
                block = DualPathBlock(
                    channels,
                    hidden,
                    added,
                    grown,
                    stride,
                    groups,
                    split_groups,
                    first,
                    first and stage == 0,
                )
                cells.append((f"conv{stage + 2}_{place + 1}", block))
                channels = added + (3 + place) * grown
            maps.append(FeatureMap(channels, 4 * 2**stage))
            ends.append(len(cells) - 1)
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="same")
        self.features = nn.SequentialCell(OrderedDict(cells))
        self.ends = tuple(ends[index] for index in out_indices or ())
        self.feature_info = tuple(maps[index] for index in out_indices or ())
        if out_indices is None:
            norm = [("norm", BatchNorm2d(channels, _EPS)), ("relu", nn.ReLU())]
            self.conv5_x = nn.SequentialCell(OrderedDict(norm))
            self.classifier = classifier(channels, num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        chosen: tuple[Tensor, ...] = ()
        paths = x
        for index, cell in enumerate(self.features.cell_list):
            paths = cell(paths)
            if index in self.ends:
                whole = paths if index == 0 else ops.concat((paths[0], paths[1]), 1)
                chosen = (*chosen, whole)
            if index == 0:
                paths = self.max_pool(paths)
        if self.out_indices is not None:
            return chosen
        y = self.conv5_x(ops.concat((paths[0], paths[1]), 1))
        return self.classifier(ops.mean(y, (2, 3)))


def dpn(
    stem_channels: int = 64,
    width: int = 96,
    groups: int = 32,
    depths: Sequence[int] = (3, 4, 20, 3),
    growths: Sequence[int] = (16, 32, 24, 128),
    num_classes: int = 1000,
    in_channels: int = 3,
    split_groups: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> DPN:
    """DPN: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    The defaults are DPN-92's.

    Args:
        stem_channels: channels of the first convolution.
        width: channels of the 3×3 convolutions in the first stage.
        groups: of the 3×3 convolutions.
        depths: blocks of the four stages.
        growths: channels that each block of a stage appends.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        split_groups: each group's weight is a parameter of its own; the computation is the same.
        features_only: leave out the last norm and the classifier, return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32), both paths together.

    Raises:
        ValueError: not four depths and growths, or a feature index that does not exist.
    """
    if len(depths) != 4 or len(growths) != 4:
        raise ValueError(f"dpn has four stages: depths={depths}, growths={growths}")
    indices = check_out_indices(out_indices, 5) if features_only else None
    return DPN(
        stem_channels,
        width,
        groups,
        depths,
        growths,
        num_classes,
        in_channels,
        split_groups,
        indices,
    )
