"""MnasNet-B1 of every width.

Source: Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile" (2019).
Parameter names are those of mindcv. The MindSpore models repository has another start: a bias in
the first convolution (`stem_bias`) and a 3×3 convolution where the paper has a 1×1
(`stem_kernel`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mindspore import Tensor, nn
from mindspore.common.initializer import HeUniform

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import Padding, check_padding, conv2d, conv_norm
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.widths import make_divisible

# expansion, channels, repeats, stride of the first, kernel: figure 7 of the paper
_STAGES = (
    (3, 24, 3, 2, 3),
    (3, 40, 3, 2, 5),
    (6, 80, 3, 2, 5),
    (6, 96, 2, 1, 3),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
_MOMENTUM = 0.99


class InvertedResidual(Cell):
    """Expand, filter each channel by itself, project; the input added where shapes allow.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int,
        expansion: int,
        padding: Padding,
        eps: float,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        conv = partial(conv_norm, eps=eps, momentum=_MOMENTUM)
        self.layers = nn.SequentialCell(
            [
                *conv(in_channels, hidden, 1),
                *conv(hidden, hidden, kernel, stride, padding, groups=hidden),
                *conv(hidden, out_channels, 1, act=None),
            ]
        )
        self.shortcut = stride == 1 and in_channels == out_channels

    def construct(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.shortcut else self.layers(x)


def _stem(
    in_channels: int,
    width: float,
    padding: Padding,
    eps: float,
    bias: bool,
    kernel: int,
) -> list[nn.Cell]:
    """A convolution and a separable one: 1/2 of the picture's size, 16 · width channels."""
    first, second = make_divisible(32 * width), make_divisible(16 * width)
    conv = partial(conv_norm, eps=eps, momentum=_MOMENTUM)
    return [
        conv2d(in_channels, first, 3, 2, padding, bias=bias),
        BatchNorm2d(first, eps, _MOMENTUM),
        nn.ReLU(),
        *conv(first, first, 3, 1, padding, groups=first),
        *conv(first, second, kernel, act=None),
    ]


class MnasNet(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen layers."""

    def __init__(
        self,
        width: float,
        num_classes: int,
        dropout: float,
        padding: Padding,
        eps: float,
        stem: Sequence[nn.Cell],
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        layers, channels, stride = list(stem), make_divisible(16 * width), 2
        maps = [FeatureMap(channels, stride)] * len(layers)
        for expansion, base, repeats, step, kernel in _STAGES:
            out_channels = make_divisible(base * width)
            for index in range(repeats):
                own_step = step if index == 0 else 1
                layers.append(
                    InvertedResidual(
                        channels, out_channels, kernel, own_step, expansion, padding, eps
                    )
                )
                channels, stride = out_channels, stride * own_step
                maps.append(FeatureMap(channels, stride))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            layers += conv_norm(channels, 1280, 1, eps=eps, momentum=_MOMENTUM)
            self.features = ReadLayers(layers)
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            init = HeUniform(mode="fan_out", nonlinearity="sigmoid")
            self.classifier = nn.Dense(1280, num_classes, weight_init=init)
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        return x if self.features_only else self.classifier(self.dropout(self.pool(x)))


def mnasnet(
    width: float = 1.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    conv_padding: Padding = "symmetric",
    bn_eps: float = 1e-3,
    stem_bias: bool = False,
    stem_kernel: int = 1,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> MnasNet:
    """MnasNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        width: multiplier of the channels: 0.5, 0.75, 1.0, 1.3 and 1.4 are published.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        conv_padding: of the convolutions with stride 2: "symmetric" (mindcv) or "same".
        bn_eps: epsilon of the batch norms; torchvision has 1e-5.
        stem_bias: whether the first convolution has a bias.
        stem_kernel: of the separable convolution's second half: 1 (mindcv) or 3.
        features_only: leave out what follows the last block and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: an unknown padding or feature index.
    """
    check_padding(conv_padding)
    stem = _stem(in_channels, width, conv_padding, bn_eps, stem_bias, stem_kernel)
    indices = tuple(out_indices) if features_only else None
    return MnasNet(width, num_classes, dropout, conv_padding, bn_eps, stem, indices)
