"""Tiny DarkNet.

Source: Redmon, https://pjreddie.com/darknet/tiny-darknet/. Parameter names are those of the models
repository's official/cv/tinydarknet, whose last convolution has a norm and an activation too.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

# channels and kernel of each convolution; a pooling follows the first of each stage
_STAGES = (
    ((16, 3),),
    ((32, 3),),
    ((16, 1), (128, 3), (16, 1), (128, 3)),
    ((32, 1), (256, 3), (32, 1), (256, 3)),
    ((64, 1), (512, 3), (64, 1), (512, 3), (128, 1)),
)
_SLOPE = 0.2


class ConvBlock(nn.Cell):
    """Convolution, batch norm, leaky ReLU: (B, in_channels, H, W) -> (B, out_channels, H, W)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel)
        self.bn = BatchNorm2d(out_channels, eps=1e-3)

    def construct(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return ops.maximum(x, x * _SLOPE)


class TinyDarkNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self, num_classes: int, in_channels: int, out_indices: tuple[int, ...] | None
    ) -> None:
        super().__init__()
        channels, number = in_channels, 0
        stages, maps = [], []
        for stage, rows in enumerate(_STAGES):
            convs = []
            for out_channels, kernel in rows:
                number += 1
                convs.append(ConvBlock(channels, out_channels, kernel))
                # The names count convolutions through.
                setattr(self, f"conv{number}", convs[-1])
                channels = out_channels
            stages.append(tuple(convs))
            maps.append(FeatureMap(channels, 2**stage))
        self.stages = tuple(stages)
        self.pool = nn.MaxPool2d(2, 2, pad_mode="same")
        self.out_indices = out_indices
        self.feature_info = tuple(maps[index] for index in out_indices or ())
        if out_indices is None:
            self.conv16 = ConvBlock(channels, num_classes, 1)
            self.average = GlobalAvgPool()

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        maps: tuple[Tensor, ...] = ()
        for stage, convs in enumerate(self.stages):
            if stage > 0:
                x = self.pool(x)
            for conv in convs:
                x = conv(x)
            if self.out_indices is not None and stage in self.out_indices:
                maps = (*maps, x)
        return self.average(self.conv16(x)) if self.out_indices is None else maps


def tinydarknet(
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> TinyDarkNet:
    """Tiny DarkNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the last convolution.
        in_channels: channels of the picture.
        features_only: leave out the last convolution and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1, 1/2, 1/4, 1/8 and 1/16 of the picture's size.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = check_out_indices(out_indices, len(_STAGES)) if features_only else None
    return TinyDarkNet(num_classes, in_channels, indices)
