"""ResNetV2 normalised by each channel's power instead of by batch.

Source: Singh and Krishnan, "Filter Response Normalization Layer: Eliminating Batch Dependence in
the Training of Deep Neural Networks" (2019), on He et al., "Identity Mappings in Deep Residual
Networks" (2016). Parameter names are those of the MindSpore models repository.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Constant, initializer

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.residual import ResidualNetwork, blocks_of, classifier

DEPTHS = (50, 101, 152)


class FilterResponseNorm(nn.Cell):
    """Each channel divided by its root mean square, scaled, shifted, and cut off below `tau`.

    (B, C, H, W) -> the same shape.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        shape = (1, channels, 1, 1)
        self.tau = Parameter(initializer("zeros", shape), name="tau")
        self.beta = Parameter(initializer("zeros", shape), name="beta")
        self.gamma = Parameter(initializer("ones", shape), name="gamma")
        self.eps = Parameter(initializer(Constant(1e-6), (1,)), name="eps")

    def construct(self, x: Tensor) -> Tensor:
        power = ops.mean(ops.square(x), (2, 3), True)
        x = x * ops.rsqrt(power + ops.abs(self.eps))
        return ops.maximum(self.gamma * x + self.beta, self.tau)


class PreFRNBottleneck(nn.Cell):
    """1×1, 3×3, 1×1: (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride)."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        out_channels = 4 * channels
        self.frn1 = FilterResponseNorm(in_channels)
        self.conv1 = conv2d(in_channels, channels, 1)
        self.frn2 = FilterResponseNorm(channels)
        self.conv2 = conv2d(channels, channels, 3, stride)
        self.frn3 = FilterResponseNorm(channels)
        self.conv3 = conv2d(channels, out_channels, 1)
        self.downsample: nn.Cell | None = None
        if stride != 1 or in_channels != out_channels:
            conv = conv2d(in_channels, out_channels, 1, stride)
            self.downsample = nn.SequentialCell([conv, FilterResponseNorm(out_channels)])

    def construct(self, x: Tensor) -> Tensor:
        y = self.frn2(self.conv1(self.frn1(x)))
        y = self.conv3(self.frn3(self.conv2(y)))
        return y + (x if self.downsample is None else self.downsample(x))


class ResNetV2FRN(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depth: int,
        num_classes: int,
        in_channels: int,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, 64, 7, 2)
        self.frn1 = FilterResponseNorm(64)
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="same")
        width = self.add_stages(
            lambda inputs, channels, stride, place: PreFRNBottleneck(inputs, channels, stride),
            blocks_of("resnetv2_frn", depth, DEPTHS),
            64,
            out_indices,
        )
        if out_indices is None:
            self.frn2 = FilterResponseNorm(width)
            self.fc = classifier(width, num_classes)

    def stem(self, x: Tensor) -> Tensor:
        return self.frn1(self.conv1(x))

    def head(self, x: Tensor) -> Tensor:
        return self.fc(ops.mean(self.frn2(x), (2, 3)))


def resnetv2_frn(
    depth: int = 50,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> ResNetV2FRN:
    """ResNetV2 with FRN: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 50, 101 or 152.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        features_only: leave out the last norm and the classifier, return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32), before any norm.

    Raises:
        ValueError: an unknown depth or feature index.
    """
    indices = check_out_indices(out_indices, 5) if features_only else None
    return ResNetV2FRN(depth, num_classes, in_channels, indices)
