"""SqueezeNet 1.0 and 1.1, and 1.0 with simple bypass.

Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB
model size" (2016). Parameter names are those of mindcv; the models repository computes the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeNormal, Normal

from zoohub.networks.layers.conv import Padding, conv2d
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.pooling import GlobalAvgPool

# squeezed channels and channels of each half of the output; None is a max pooling: table 1
_VERSIONS: dict[str, tuple[tuple[int, int] | None, ...]] = {
    "1_0": (
        *(None, (16, 64), (16, 64), (32, 128)),
        *(None, (32, 128), (48, 192), (48, 192), (64, 256)),
        *(None, (64, 256)),
    ),
    "1_1": (
        *(None, (16, 64), (16, 64)),
        *(None, (32, 128), (32, 128)),
        *(None, (48, 192), (48, 192), (64, 256), (64, 256)),
    ),
}


def _conv(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    padding: Padding | int = "symmetric",
) -> nn.Conv2d:
    # No norms follow: the initial values have to keep the size of what goes in.
    return conv2d(
        in_channels, out_channels, kernel, stride, padding, bias=True, weight_init=HeNormal()
    )


class Fire(nn.Cell):
    """A 1×1 convolution, and a 1×1 and a 3×3 one beside one another from it.

    (B, in_channels, H, W) -> (B, 2 · half, H, W); `bypass` adds the input.
    """

    def __init__(self, in_channels: int, squeezed: int, half: int, bypass: bool) -> None:
        super().__init__()
        self.squeeze = _conv(in_channels, squeezed, 1)
        self.expand1x1 = _conv(squeezed, half, 1)
        self.expand3x3 = _conv(squeezed, half, 3)
        self.bypass = bypass

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.squeeze(x))
        y = ops.concat((ops.relu(self.expand1x1(y)), ops.relu(self.expand3x3(y))), 1)
        return x + y if self.bypass else y


def _stem(version: str, in_channels: int, padding: int | None) -> tuple[nn.Conv2d, int]:
    """The first convolution and its channels; that of 1.0 does not pad."""
    if version == "1_0":
        return _conv(in_channels, 96, 7, 2, 0 if padding is None else padding), 96
    return _conv(in_channels, 64, 3, 2, "symmetric" if padding is None else padding), 64


class RoundedUpPool(nn.Cell):
    """3×3 max pooling of what is not negative, with stride 2 and sizes rounded up."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(3, 2)

    def construct(self, x: Tensor) -> Tensor:
        return self.pool(ops.pad(x, (0, 1, 0, 1)))


class SqueezeNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen layers."""

    def __init__(
        self,
        version: str,
        num_classes: int,
        in_channels: int,
        dropout: float,
        bypass: bool,
        stem_padding: int | None,
        pool_rounding: str,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        stem, channels = _stem(version, in_channels, stem_padding)
        layers: list[nn.Cell] = [stem, nn.ReLU()]
        stride = 2
        maps = [FeatureMap(channels, stride)] * len(layers)
        for row in _VERSIONS[version]:
            if row is None:
                layers.append(RoundedUpPool() if pool_rounding == "up" else nn.MaxPool2d(3, 2))
                stride *= 2
            else:
                layers.append(Fire(channels, *row, bypass and channels == 2 * row[1]))
                channels = 2 * row[1]
            maps.append(FeatureMap(channels, stride))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.features = ReadLayers(layers)
            final = conv2d(channels, num_classes, 1, bias=True, weight_init=Normal(0.01))
            self.classifier = nn.SequentialCell(
                [nn.Dropout(p=dropout), final, nn.ReLU(), GlobalAvgPool()]
            )
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        return x if self.features_only else self.classifier(x)


def squeezenet(
    version: str = "1_0",
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    bypass: bool = False,
    stem_padding: int | None = None,
    pool_rounding: str = "down",
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> SqueezeNet:
    """SqueezeNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        version: "1_0" or "1_1".
        num_classes: outputs of the last convolution.
        in_channels: channels of the picture.
        dropout: share of the last convolution's inputs set to zero in training.
        bypass: whether a fire's input is added to its output where channels allow.
        stem_padding: of the first convolution; None: mindcv's, which is 1 in version 1.1 and 0 in
            1.0, as torchvision has both.
        pool_rounding: which way max pooling rounds sizes: "down" (mindcv) or "up" (torchvision).
        features_only: leave out the last convolution and return a tuple of feature maps.
        out_indices: which maps: 0 to 3 are at about 1/2, 1/4, 1/8 and 1/16 of the picture's size;
            sizes are rounded down, and the first convolution of 1.0 does not pad.

    Raises:
        ValueError: an unknown version, rounding or feature index.
    """
    if pool_rounding not in ("down", "up"):
        raise ValueError(f"pool_rounding={pool_rounding!r}: choose down or up")
    if version not in _VERSIONS:
        raise ValueError(f"squeezenet has versions 1_0 and 1_1, not {version!r}")
    indices = tuple(out_indices) if features_only else None
    return SqueezeNet(
        version, num_classes, in_channels, dropout, bypass, stem_padding, pool_rounding, indices
    )
