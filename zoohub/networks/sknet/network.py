"""SKNet: convolutions of two kernel sizes, mixed channel by channel by attention.

Source: Li et al., "Selective Kernel Networks" (2019), in the form of timm, where the 5×5 branch is
a dilated 3×3 one and each branch may see half of the channels. Parameter names are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeNormal

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import (
    Numerics,
    ResidualNetwork,
    blocks_of,
    classifier,
    shortcut,
)
from zoohub.networks.layers.widths import make_divisible

DEPTHS = (18, 34, 50)


@dataclass(frozen=True, slots=True)
class _Selection:
    """How the two kernels are selected.

    The attention has `reduction` times less channels, a multiple of `divisor`; with `split_input`
    each branch sees its half of the channels.
    """

    reduction: int
    divisor: int
    split_input: bool


class KernelBranch(nn.Cell):
    """A 3×3 convolution, batch norm, ReLU: (B, C, H, W) -> (B, C', H / stride, W / stride)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, dilation: int) -> None:
        super().__init__()
        conv = nn.Conv2d(
            in_channels,
            out_channels,
            3,
            stride,
            pad_mode="pad",
            padding=dilation,
            dilation=dilation,
            weight_init=HeNormal(mode="fan_out", nonlinearity="relu"),
        )
        self.features = nn.SequentialCell([conv, BatchNorm2d(out_channels), nn.ReLU()])

    def construct(self, x: Tensor) -> Tensor:
        return self.features(x)


class SelectiveAttention(nn.Cell):
    """(B, C, H, W) -> the weights of the two branches, (B, 2, C, 1, 1), which add up to 1."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.channels = channels
        self.fc_reduce = conv2d(channels, hidden, 1)
        self.bn = BatchNorm2d(hidden)
        self.fc_select = conv2d(hidden, 2 * channels, 1)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn(self.fc_reduce(ops.mean(x, (2, 3), True))))
        scores = ops.reshape(self.fc_select(y), (-1, 2, self.channels, 1, 1))
        return ops.softmax(scores, 1)


class SelectiveKernel(nn.Cell):
    """(B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride)."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, selection: _Selection
    ) -> None:
        super().__init__()
        self.half = in_channels // 2 if selection.split_input else 0
        seen = self.half or in_channels
        self.paths = nn.CellList(
            [KernelBranch(seen, out_channels, stride, dilation) for dilation in (1, 2)]
        )
        hidden = make_divisible(out_channels / selection.reduction, selection.divisor)
        self.attn = SelectiveAttention(out_channels, hidden)

    def construct(self, x: Tensor) -> Tensor:
        first = self.paths[0](x[:, : self.half] if self.half else x)
        second = self.paths[1](x[:, self.half :] if self.half else x)
        weights = self.attn(first + second)
        return first * weights[:, 0] + second * weights[:, 1]


class SelectiveBasicBlock(nn.Cell):
    """Selective kernel, 3×3: (B, in_channels, H, W) -> (B, channels, H / stride, W / stride)."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int, selection: _Selection) -> None:
        super().__init__()
        self.conv1 = SelectiveKernel(in_channels, channels, stride, selection)
        self.conv2 = nn.SequentialCell([conv2d(channels, channels, 3), BatchNorm2d(channels)])
        self.down_sample = shortcut(in_channels, channels, stride, Numerics())

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x))
        identity = x if self.down_sample is None else self.down_sample(x)
        return ops.relu(y + identity)


class SelectiveBottleneck(nn.Cell):
    """1×1, selective kernel, 1×1.

    (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride). As published, there is no
    activation after the first convolution.
    """

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int, selection: _Selection) -> None:
        super().__init__()
        out_channels = self.expansion * channels
        self.conv1 = nn.SequentialCell([conv2d(in_channels, channels, 1), BatchNorm2d(channels)])
        self.conv2 = SelectiveKernel(channels, channels, stride, selection)
        self.conv3 = nn.SequentialCell(
            [conv2d(channels, out_channels, 1), BatchNorm2d(out_channels)]
        )
        self.down_sample = shortcut(in_channels, out_channels, stride, Numerics())

    def construct(self, x: Tensor) -> Tensor:
        y = self.conv3(self.conv2(self.conv1(x)))
        identity = x if self.down_sample is None else self.down_sample(x)
        return ops.relu(y + identity)


class SKNet(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depth: int,
        selection: _Selection,
        num_classes: int,
        in_channels: int,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        block = SelectiveBasicBlock if depth < 50 else SelectiveBottleneck
        self.conv1 = conv2d(in_channels, 64, 7, 2)
        self.bn1 = BatchNorm2d(64)
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="same")
        width = self.add_stages(
            lambda inputs, channels, stride, place: block(inputs, channels, stride, selection),
            blocks_of("sknet", depth, DEPTHS),
            64,
            out_indices,
            block.expansion,
        )
        if out_indices is None:
            self.classifier = classifier(width, num_classes)


def sknet(
    depth: int = 50,
    reduction: int = 16,
    divisor: int = 8,
    split_input: bool = True,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> SKNet:
    """SKNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 18, 34 or 50.
        reduction: channels that the attention squeezes into one.
        divisor: the attention's channels are a multiple of this, and at least as many.
        split_input: each kernel sees half of the channels.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32).

    Raises:
        ValueError: an unknown depth or feature index.
    """
    selection = _Selection(reduction, divisor, split_input)
    indices = check_out_indices(out_indices, 5) if features_only else None
    return SKNet(depth, selection, num_classes, in_channels, indices)
