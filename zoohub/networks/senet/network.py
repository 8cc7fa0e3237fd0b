"""SENet: residual networks whose branches are weighted channel by channel.

Source: Hu et al., "Squeeze-and-Excitation Networks" (2018). SE-ResNet and SE-ResNeXt weigh the
branches of ResNet and ResNeXt; SENet-154 has wider branches, a deep stem and 3×3 shortcuts.
Parameter names are those of mindcv. The MindSpore models repository's SE-ResNeXt-50 stores each
group's weight by itself (`split_groups`) and leaves out two biases (`lean`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.grouped_conv import grouped_conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import ResidualNetwork, blocks_of, classifier, deep_stem
from zoohub.networks.layers.squeeze_excite import DenseSqueezeExcite
from zoohub.networks.layers.widths import make_divisible

DEPTHS = (18, 26, 34, 50, 101, 152, 154)


@dataclass(frozen=True, slots=True)
class _Branch:
    """What the blocks of one network have in common.

    `hidden` are the channels of the 1×1 and of the 3×3 convolution for each 64 of the stage's;
    `shortcut_kernel` is that of shortcuts with stride 2; the last two are `senet`'s.
    """

    hidden: tuple[int, int]
    groups: int
    shortcut_kernel: int
    reduction: int
    split_groups: bool
    lean: bool

    def squeeze_excite(self, channels: int) -> nn.Cell:
        """What weighs a branch's channels."""
        make = LeanSqueezeExcite if self.lean else DenseSqueezeExcite
        return make(channels, make_divisible(channels / self.reduction))


class LeanSqueezeExcite(nn.Cell):
    """Squeeze and excitation by 1×1 convolutions, the second without bias.

    (B, channels, H, W) -> the same shape.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv_reduce = conv2d(channels, hidden, 1, bias=True)
        self.conv_expand = conv2d(hidden, channels, 1)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.conv_reduce(ops.mean(x, (2, 3), True)))
        return x * ops.sigmoid(self.conv_expand(y))


def _shortcut(
    in_channels: int, out_channels: int, stride: int, kernel: int = 1
) -> nn.SequentialCell | None:
    if stride == 1 and in_channels == out_channels:
        return None
    conv = conv2d(in_channels, out_channels, 1 if stride == 1 else kernel, stride)
    return nn.SequentialCell([conv, BatchNorm2d(out_channels)])


class SEBasicBlock(nn.Cell):
    """Two 3×3 convolutions: (B, in_channels, H, W) -> (B, channels, H / stride, W / stride)."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int, branch: _Branch) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, channels, 3, stride)
        self.bn1 = BatchNorm2d(channels)
        self.conv2 = conv2d(channels, channels, 3)
        self.bn2 = BatchNorm2d(channels)
        self.se_module = branch.squeeze_excite(channels)
        self.downsample = _shortcut(in_channels, channels, stride)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = self.se_module(self.bn2(self.conv2(y)))
        identity = x if self.downsample is None else self.downsample(x)
        return ops.relu(y + identity)


class SEBottleneck(nn.Cell):
    """1×1, 3×3, 1×1: (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride)."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int, branch: _Branch) -> None:
        super().__init__()
        out_channels = self.expansion * channels
        narrow, wide = (channels * hidden // 64 for hidden in branch.hidden)
        self.conv1 = conv2d(in_channels, narrow, 1)
        self.bn1 = BatchNorm2d(narrow)
        self.conv2 = grouped_conv2d(
            narrow, wide, 3, stride, groups=branch.groups, split=branch.split_groups
        )
        self.bn2 = BatchNorm2d(wide)
        self.conv3 = conv2d(wide, out_channels, 1)
        self.bn3 = BatchNorm2d(out_channels)
        self.se_module = branch.squeeze_excite(out_channels)
        self.downsample = _shortcut(in_channels, out_channels, stride, branch.shortcut_kernel)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = ops.relu(self.bn2(self.conv2(y)))
        y = self.se_module(self.bn3(self.conv3(y)))
        identity = x if self.downsample is None else self.downsample(x)
        return ops.relu(y + identity)


class SENet(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depth: int,
        branch: _Branch,
        num_classes: int,
        in_channels: int,
        dropout: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        block = SEBasicBlock if depth in (18, 34) else SEBottleneck
        deep = depth == 154
        stem_channels = 128 if deep else 64
        stem = [*deep_stem(in_channels, 64, 128)] if deep else [conv2d(in_channels, 64, 7, 2)]
        self.layer0 = nn.SequentialCell([*stem, BatchNorm2d(stem_channels), nn.ReLU()])
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="same")
        width = self.add_stages(
            lambda inputs, channels, stride, place: block(inputs, channels, stride, branch),
            blocks_of("senet", depth, DEPTHS),
            stem_channels,
            out_indices,
            block.expansion,
        )
        if out_indices is None:
            self.dropout = nn.Dropout(p=dropout)
            self.classifier = classifier(width, num_classes, bias=not branch.lean)

    def stem(self, x: Tensor) -> Tensor:
        return self.layer0(x)

    def head(self, x: Tensor) -> Tensor:
        return self.classifier(self.dropout(ops.mean(x, (2, 3))))


def senet(
    depth: int = 50,
    groups: int = 1,
    base_width: int = 64,
    reduction: int = 16,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    split_groups: bool = False,
    lean: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> SENet:
    """SENet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 18, 26, 34, 50, 101 or 152 (SE-ResNet, SE-ResNeXt), or 154 (SENet).
        groups: of the 3×3 convolutions: the 32 in "32x4d"; SENet-154 has 64.
        base_width: channels of a group in the first stage: the 4 in "32x4d"; not of SENet-154.
        reduction: channels that excitation squeezes into one.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        split_groups: each group's weight is a parameter of its own, as the models repository
            stores them; the computation is the same.
        lean: excitation by convolutions, of which the second has no bias, and no bias in the
            classifier.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32).

    Raises:
        ValueError: an unknown depth or feature index, or groups where the depth has none.
    """
    if depth in (18, 34) and (groups, base_width) != (1, 64):
        raise ValueError(f"senet of depth {depth} has neither groups nor another width")
    hidden = (128, 256) if depth == 154 else (base_width * groups, base_width * groups)
    return SENet(
        depth,
        _Branch(hidden, groups, 3 if depth == 154 else 1, reduction, split_groups, lean),
        num_classes,
        in_channels,
        dropout,
        check_out_indices(out_indices, 5) if features_only else None,
    )
