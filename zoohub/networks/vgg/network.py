"""VGG-11 to VGG-19, with and without batch norms.

Source: Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
(2015). Parameter names are those of mindcv, whose convolutions have no biases; the models
repository computes the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn
from mindspore.common.initializer import HeNormal, Normal

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.norm import BatchNorm2d

# convolutions in each of the five stages, which a max pooling ends: table 1 of the paper
_REPEATS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
_CHANNELS = (64, 128, 256, 512, 512)
_PIXELS = 7  # height and width of the last map for pictures of 224 pixels
_HIDDEN = 4096


def _dense(in_channels: int, out_channels: int) -> nn.Dense:
    return nn.Dense(in_channels, out_channels, weight_init=Normal(0.01))


class VGG(nn.Cell):
    """(B, in_channels, 224, 224) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        repeats: Sequence[int],
        batch_norm: bool,
        num_classes: int,
        in_channels: int,
        dropout: float,
        conv_bias: bool,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        layers: list[nn.Cell] = []
        maps: list[FeatureMap] = []
        channels, stride = in_channels, 1
        for count, out_channels in zip(repeats, _CHANNELS, strict=True):
            for _ in range(count):
                layers.append(
                    conv2d(channels, out_channels, 3, bias=conv_bias, weight_init=HeNormal())
                )
                layers += [BatchNorm2d(out_channels)] if batch_norm else []
                layers.append(nn.ReLU())
                channels = out_channels
            layers.append(nn.MaxPool2d(2, 2))
            stride *= 2
            # The convolutions of a stage are not read, only what its pooling leaves.
            maps += [FeatureMap(channels, stride)] * (len(layers) - len(maps))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.features = ReadLayers(layers)
            self.flatten = nn.Flatten()
            self.classifier = nn.SequentialCell(
                [
                    *(_dense(channels * _PIXELS**2, _HIDDEN), nn.ReLU(), nn.Dropout(p=dropout)),
                    *(_dense(_HIDDEN, _HIDDEN), nn.ReLU(), nn.Dropout(p=dropout)),
                    _dense(_HIDDEN, num_classes),
                ]
            )
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        return x if self.features_only else self.classifier(self.flatten(x))


def vgg(
    depth: int = 16,
    batch_norm: bool = False,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.5,
    conv_bias: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> VGG:
    """VGG: float32 (B, in_channels, 224, 224) -> logits (B, num_classes).

    Args:
        depth: 11, 13, 16 or 19 layers.
        batch_norm: whether each convolution has one.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the classifier's hidden features set to zero in training.
        conv_bias: whether the convolutions have biases, as torchvision's do.
        features_only: leave out the classifier and return a tuple of feature maps; pictures may
            then have any size.
        out_indices: which maps: 0 to 4 are behind the max poolings, at 1/2, 1/4, 1/8, 1/16 and
            1/32 of the picture's size.

    Raises:
        ValueError: an unknown depth or feature index.
    """
    if depth not in _REPEATS:
        raise ValueError(f"vgg has depths {sorted(_REPEATS)}, not {depth}")
    indices = tuple(out_indices) if features_only else None
    return VGG(_REPEATS[depth], batch_norm, num_classes, in_channels, dropout, conv_bias, indices)
