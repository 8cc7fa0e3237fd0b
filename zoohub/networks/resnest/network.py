"""ResNeSt: residual blocks whose 3×3 convolution is split, and the splits weighed by attention.

Source: Zhang et al., "ResNeSt: Split-Attention Networks" (2020), with radix 2, one cardinal group,
a deep stem and average pooling in place of strides. Parameter names are those of mindcv. The
MindSpore models repository stores each group by itself, without biases in the attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import Padding, conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.grouped_conv import grouped_conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import PaddedAvgPool
from zoohub.networks.layers.residual import (
    Numerics,
    ResidualNetwork,
    blocks_of,
    classifier,
    deep_stem,
)
from zoohub.networks.layers.widths import make_divisible

DEPTHS = (14, 26, 50, 101, 200, 269)
_RADIX = 2


@dataclass(frozen=True, slots=True)
class _Style:
    """How a publisher stores and computes: see `resnest`."""

    split_groups: bool
    attention_bias: bool
    numerics: Numerics

    def average(self, stride: int) -> nn.Cell:
        """(B, C, H, W) -> (B, C, H / stride, W / stride), the mean over 3×3."""
        if self.numerics.pool_padding == "same":
            return nn.AvgPool2d(3, stride, pad_mode="same")
        return PaddedAvgPool(stride)


def _pointwise(in_channels: int, out_channels: int, style: _Style) -> nn.Cell:
    """The attention's 1×1 convolutions, of one group."""
    if style.split_groups:
        return grouped_conv2d(in_channels, out_channels, 1, split=True)
    return conv2d(in_channels, out_channels, 1, bias=style.attention_bias)


class SplitAttention(nn.Cell):
    """A 3×3 convolution in two splits, added up with weights from what the picture holds.

    (B, channels, H, W) -> the same shape.
    """

    def __init__(self, channels: int, style: _Style) -> None:
        super().__init__()
        self.channels = channels
        hidden = max(32, make_divisible(channels * _RADIX / 4))
        self.conv = grouped_conv2d(
            channels, channels * _RADIX, 3, groups=_RADIX, split=style.split_groups
        )
        self.bn0 = BatchNorm2d(channels * _RADIX)
        self.fc1 = _pointwise(channels, hidden, style)
        self.bn1 = BatchNorm2d(hidden)
        self.fc2 = _pointwise(hidden, channels * _RADIX, style)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn0(self.conv(x)))
        first, second = y[:, : self.channels], y[:, self.channels :]
        pooled = ops.mean(first + second, (2, 3), True)
        scores = self.fc2(ops.relu(self.bn1(self.fc1(pooled))))
        weights = ops.softmax(ops.reshape(scores, (-1, _RADIX, self.channels, 1, 1)), 1)
        return first * weights[:, 0] + second * weights[:, 1]


class SplitAttentionBlock(nn.Cell):
    """1×1, split attention, 1×1: (B, in_channels, H, W) -> (B, 4 channels, H / s, W / s).

    Where the size changes, and at the start of each later stage, the branch is averaged over 3×3.
    """

    def __init__(
        self, in_channels: int, channels: int, stride: int, pools: bool, style: _Style
    ) -> None:
        super().__init__()
        out_channels = 4 * channels
        self.conv1 = conv2d(in_channels, channels, 1)
        self.bn1 = BatchNorm2d(channels)
        self.pool = style.average(stride) if pools else None
        self.conv2 = SplitAttention(channels, style)
        self.conv3 = conv2d(channels, out_channels, 1)
        self.bn3 = BatchNorm2d(out_channels)
        self.downsample: nn.Cell | None = None
        if stride != 1 or in_channels != out_channels:
            pool = nn.AvgPool2d(stride, stride, pad_mode="valid")
            conv = conv2d(in_channels, out_channels, 1)
            self.downsample = nn.SequentialCell([pool, conv, BatchNorm2d(out_channels)])

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv2(ops.relu(self.bn1(self.conv1(x))))
        if self.pool is not None:
            y = self.pool(y)
        y = self.bn3(self.conv3(y))
        return ops.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNeSt(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depth: int,
        num_classes: int,
        in_channels: int,
        dropout: float,
        style: _Style,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        hidden = 32 if depth < 101 else 64
        self.conv1 = deep_stem(in_channels, hidden, 2 * hidden)
        self.bn1 = BatchNorm2d(2 * hidden)
        self.max_pool = style.numerics.stem_pool()
        width = self.add_stages(
            lambda inputs, channels, stride, place: SplitAttentionBlock(
                inputs, channels, stride, place.first and place.stage > 0, style
            ),
            blocks_of("resnest", depth, DEPTHS),
            2 * hidden,
            out_indices,
        )
        if out_indices is None:
            self.dropout = nn.Dropout(p=dropout)
            self.fc = classifier(width, num_classes)

    def head(self, x: Tensor) -> Tensor:
        return self.fc(self.dropout(ops.mean(x, (2, 3))))


def resnest(
    depth: int = 50,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.0,
    split_groups: bool = False,
    attention_bias: bool = True,
    pool_padding: Padding = "same",
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> ResNeSt:
    """ResNeSt: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 14, 26, 50, 101, 200 or 269.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        split_groups: each group's weight is a parameter of its own, as the models repository
            stores them; the computation is the same.
        attention_bias: the attention's convolutions have biases; not with `split_groups`.
        pool_padding: of the 3×3 poolings: "same" (mindcv) or "symmetric" (models repository, the
            paper's code).
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32).

    Raises:
        ValueError: an unknown depth, padding or feature index.
    """
    style = _Style(split_groups, attention_bias, Numerics(pool_padding=pool_padding))
    indices = check_out_indices(out_indices, 5) if features_only else None
    return ResNeSt(depth, num_classes, in_channels, dropout, style, indices)
