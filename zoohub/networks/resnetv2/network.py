"""ResNetV2: norm and activation before each convolution, nothing after the addition.

Source: He et al., "Identity Mappings in Deep Residual Networks" (2016). Parameter names and
numerics are those of mindcv: the stem has norm and activation, the shortcut's norm comes after its
convolution, and there is no norm before the classifier. The MindSpore models repository's form for
pictures of 32×32 (`small`) has no norm there at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

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

DEPTHS = (50, 101, 152)


class PreActBottleneck(nn.Cell):
    """1×1, 3×3, 1×1: (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride)."""

    def __init__(self, in_channels: int, channels: int, stride: int, small: bool) -> None:
        super().__init__()
        out_channels = 4 * channels
        self.bn1 = BatchNorm2d(in_channels)
        self.conv1 = conv2d(in_channels, channels, 1)
        self.bn2 = BatchNorm2d(channels)
        self.conv2 = conv2d(channels, channels, 3, stride)
        self.bn3 = BatchNorm2d(channels)
        self.conv3 = conv2d(channels, out_channels, 1)
        self.down_sample = shortcut(in_channels, out_channels, stride, Numerics())
        if small and self.down_sample is not None:
            conv = conv2d(in_channels, out_channels, 1, stride)
            self.down_sample = nn.SequentialCell([conv])

    def construct(self, x: Tensor) -> Tensor:
        activated = ops.relu(self.bn1(x))
        y = ops.relu(self.bn2(self.conv1(activated)))
        y = self.conv3(ops.relu(self.bn3(self.conv2(y))))
        return y + (x if self.down_sample is None else self.down_sample(activated))


class ResNetV2(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        blocks_per_stage: Sequence[int],
        num_classes: int,
        in_channels: int,
        small: bool,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.small = small
        self.conv1 = conv2d(in_channels, 64, 7, 2)
        if small:  # checkpoints hold both; only the second is read
            self.conv2 = conv2d(in_channels, 64, 3)
        else:
            self.bn1 = BatchNorm2d(64)
        self.max_pool = nn.Identity() if small else nn.MaxPool2d(3, 2, pad_mode="same")
        width = self.add_stages(
            lambda inputs, channels, stride, place: PreActBottleneck(
                inputs, channels, stride, small
            ),
            blocks_per_stage,
            64,
            out_indices,
            stem_strides=(1, 1) if small else (2, 2),
        )
        if out_indices is None:
            self.classifier = classifier(width, num_classes)

    def stem(self, x: Tensor) -> Tensor:
        return self.conv2(x) if self.small else ops.relu(self.bn1(self.conv1(x)))


def resnetv2(
    depth: int = 50,
    num_classes: int = 1000,
    in_channels: int = 3,
    small: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> ResNetV2:
    """ResNetV2: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 50, 101 or 152.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        small: the models repository's form for pictures of 32×32: a 3×3 stem that keeps the size,
            without norm there and in shortcuts.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32), before any activation; with `small` 1/1, and 1/1, 1/2,
            1/4, 1/8.

    Raises:
        ValueError: an unknown depth or feature index.
    """
    return ResNetV2(
        blocks_of("resnetv2", depth, DEPTHS),
        num_classes,
        in_channels,
        small,
        check_out_indices(out_indices, 5) if features_only else None,
    )
