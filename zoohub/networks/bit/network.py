"""BiT: pre-activated ResNets with group norm and standardised weights, in any width.

Source: Kolesnikov et al., "Big Transfer (BiT): General Visual Representation Learning" (2019).
Parameter names and numerics are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeNormal

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.pooling import ZeroPadMaxPool
from zoohub.networks.layers.residual import ResidualNetwork, blocks_of

DEPTHS = (50, 101, 152)
_GROUPS = 32


class StdConv2d(nn.Conv2d):
    """A square convolution whose weight has mean 0 and variance 1 in each output channel.

    The weight is standardised in float32, whatever it is kept in: its variance is small.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel,
            stride,
            pad_mode="pad",
            padding=kernel // 2,
            weight_init=HeNormal(mode="fan_out", nonlinearity="relu"),
        )

    def construct(self, x: Tensor) -> Tensor:
        weight = ops.cast(self.weight, ms.float32)
        centred = weight - ops.mean(weight, (1, 2, 3), True)
        variance = ops.mean(ops.square(centred), (1, 2, 3), True)
        return self.conv2d(x, ops.cast(centred / ops.sqrt(variance + 1e-10), x.dtype))


class BiTBottleneck(nn.Cell):
    """1×1, 3×3, 1×1: (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride)."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.gn1 = nn.GroupNorm(_GROUPS, in_channels)
        self.conv1 = StdConv2d(in_channels, channels, 1)
        self.gn2 = nn.GroupNorm(_GROUPS, channels)
        self.conv2 = StdConv2d(channels, channels, 3, stride)
        self.gn3 = nn.GroupNorm(_GROUPS, channels)
        self.conv3 = StdConv2d(channels, 4 * channels, 1)
        same = stride == 1 and in_channels == 4 * channels
        self.down_sample = (
            None if same else nn.SequentialCell([StdConv2d(in_channels, 4 * channels, 1, stride)])
        )

    def construct(self, x: Tensor) -> Tensor:
        activated = ops.relu(self.gn1(x))
        y = ops.relu(self.gn2(self.conv1(activated)))
        y = self.conv3(ops.relu(self.gn3(self.conv2(y))))
        return y + (x if self.down_sample is None else self.down_sample(activated))


class BiT(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        blocks_per_stage: Sequence[int],
        width: int,
        num_classes: int,
        in_channels: int,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.conv1 = StdConv2d(in_channels, 64 * width, 7, 2)
        self.max_pool = ZeroPadMaxPool()
        channels = self.add_stages(
            lambda inputs, channels, stride, place: BiTBottleneck(inputs, channels, stride),
            blocks_per_stage,
            64 * width,
            out_indices,
            width=64 * width,
        )
        if out_indices is None:
            self.gn = nn.GroupNorm(_GROUPS, channels)
            self.classifier = conv2d(channels, num_classes, 1, bias=True)

    def stem(self, x: Tensor) -> Tensor:
        return self.conv1(x)

    def head(self, x: Tensor) -> Tensor:
        pooled = ops.mean(ops.relu(self.gn(x)), (2, 3), True)
        return ops.flatten(self.classifier(pooled))


def bit(
    depth: int = 50,
    width: int = 1,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> BiT:
    """BiT: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 50, 101 or 152.
        width: multiplier of all channels: the 3 in "50x3".
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        features_only: leave out the last norm and the classifier, return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32), before any activation.

    Raises:
        ValueError: an unknown depth or feature index.
    """
    return BiT(
        blocks_of("bit", depth, DEPTHS),
        width,
        num_classes,
        in_channels,
        check_out_indices(out_indices, 5) if features_only else None,
    )
