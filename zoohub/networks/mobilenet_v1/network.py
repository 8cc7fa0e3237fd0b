"""MobileNetV1 of every width.

Source: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications" (2017). Parameter names are those of mindcv. The MindSpore models repository trained
the same network with other padding and ReLU6: `conv_padding` and `activation`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from mindspore import Tensor, nn
from mindspore.common.initializer import TruncatedNormal

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import Padding, check_padding, conv_norm
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.pooling import GlobalAvgPool

# channels and stride of each pair of a depthwise and a pointwise convolution: table 1 of the paper
_BLOCKS = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)
_ACTIVATIONS: dict[str, Callable[[], nn.Cell]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": partial(nn.LeakyReLU, 0.1),
}


class MobileNetV1(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen layers."""

    def __init__(
        self,
        width: float,
        num_classes: int,
        in_channels: int,
        padding: Padding,
        act: Callable[[], nn.Cell],
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        channels, stride = int(32 * width), 2
        layers = conv_norm(in_channels, channels, 3, 2, padding, act=act)
        maps = [FeatureMap(channels, stride)] * len(layers)
        for base, step in _BLOCKS:
            out_channels, stride = int(base * width), stride * step
            depthwise = conv_norm(channels, channels, 3, step, padding, groups=channels, act=act)
            pointwise = conv_norm(channels, out_channels, 1, act=act)
            layers.append(nn.SequentialCell([*depthwise, *pointwise]))
            channels = out_channels
            maps.append(FeatureMap(channels, stride))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.features = ReadLayers(layers)
            self.pool = GlobalAvgPool()
            self.classifier = nn.Dense(channels, num_classes, weight_init=TruncatedNormal())
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        return x if self.features_only else self.classifier(self.pool(x))


def mobilenet_v1(
    width: float = 1.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    conv_padding: Padding = "symmetric",
    activation: str = "relu",
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> MobileNetV1:
    """MobileNetV1: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        width: multiplier of the channels: 0.25, 0.5, 0.75 or 1.0 are published.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        conv_padding: of the 3×3 convolutions: "symmetric" (mindcv) or "same".
        activation: "relu" (mindcv), "relu6" or "leaky_relu" with a slope of 0.1.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: an unknown padding, activation or feature index.
    """
    check_padding(conv_padding)
    if activation not in _ACTIVATIONS:
        raise ValueError(
            f"mobilenet_v1 has activations {', '.join(_ACTIVATIONS)}, not {activation!r}"
        )
    indices = tuple(out_indices) if features_only else None
    return MobileNetV1(
        width, num_classes, in_channels, conv_padding, _ACTIVATIONS[activation], indices
    )
