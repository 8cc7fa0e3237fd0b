"""MobileNetV3, large and small, of every width.

Source: Howard et al., "Searching for MobileNetV3" (2019). Parameter names are those of mindcv. The
MindSpore models repository pads otherwise and ends in 1×1 convolutions: `conv_padding` and `head`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.activations import HardSigmoid, HardSwish
from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import Padding, check_padding, conv2d, conv_norm
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.squeeze_excite import DenseSqueezeExcite, SqueezeExcite
from zoohub.networks.layers.widths import make_divisible

# kernel, hidden channels, channels, squeeze and excitation, activation, stride: tables 1 and 2 of
# the paper
_BLOCKS = {
    "large": (
        (3, 16, 16, False, nn.ReLU, 1),
        (3, 64, 24, False, nn.ReLU, 2),
        (3, 72, 24, False, nn.ReLU, 1),
        (5, 72, 40, True, nn.ReLU, 2),
        (5, 120, 40, True, nn.ReLU, 1),
        (5, 120, 40, True, nn.ReLU, 1),
        (3, 240, 80, False, HardSwish, 2),
        (3, 200, 80, False, HardSwish, 1),
        (3, 184, 80, False, HardSwish, 1),
        (3, 184, 80, False, HardSwish, 1),
        (3, 480, 112, True, HardSwish, 1),
        (3, 672, 112, True, HardSwish, 1),
        (5, 672, 160, True, HardSwish, 2),
        (5, 960, 160, True, HardSwish, 1),
        (5, 960, 160, True, HardSwish, 1),
    ),
    "small": (
        (3, 16, 16, True, nn.ReLU, 2),
        (3, 72, 24, False, nn.ReLU, 2),
        (3, 88, 24, False, nn.ReLU, 1),
        (5, 96, 40, True, HardSwish, 2),
        (5, 240, 40, True, HardSwish, 1),
        (5, 240, 40, True, HardSwish, 1),
        (5, 120, 48, True, HardSwish, 1),
        (5, 144, 48, True, HardSwish, 1),
        (5, 288, 96, True, HardSwish, 2),
        (5, 576, 96, True, HardSwish, 1),
        (5, 576, 96, True, HardSwish, 1),
    ),
}
# Channels between the classifier's two layers. Published networks with a convolutional head have
# the large one's in both sizes.
_LAST = {"large": 1280, "small": 1024}
_LAST_OF_CONVOLUTIONS = 1280


@dataclass(frozen=True, slots=True)
class Numerics:
    """Where publishers differ: the padding and epsilon, whether blocks expand that need not, and
    whether excitation is by 1×1 convolutions, by dense layers and a sigmoid ("dense") or left out
    ("none")."""

    padding: Padding
    bn_eps: float
    always_expand: bool = False
    excitation: str = "conv"

    def excite(self, channels: int) -> nn.Cell:
        """(B, channels, H, W) -> the same shape."""
        if self.excitation == "dense":
            return DenseSqueezeExcite(channels, channels // 4)
        return SqueezeExcite(channels, make_divisible(channels / 4), gate=HardSigmoid)


class InvertedResidual(Cell):
    """Expand, filter each channel by itself, excite, project; the input added where shapes allow.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        hidden: int,
        out_channels: int,
        kernel: int,
        stride: int,
        excite: bool,
        act: type[nn.Cell],
        numerics: Numerics,
    ) -> None:
        super().__init__()
        eps = numerics.bn_eps
        layers: list[nn.Cell] = []
        if hidden != in_channels or numerics.always_expand:
            layers += conv_norm(in_channels, hidden, 1, act=act, eps=eps)
        layers += conv_norm(
            hidden, hidden, kernel, stride, numerics.padding, groups=hidden, act=act, eps=eps
        )
        if excite and numerics.excitation != "none":
            layers.append(numerics.excite(hidden))
        layers += conv_norm(hidden, out_channels, 1, act=None, eps=eps)
        self.layers = nn.SequentialCell(layers)
        self.shortcut = stride == 1 and in_channels == out_channels

    def construct(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.shortcut else self.layers(x)


class DenseHead(nn.SequentialCell):
    """Pooled features (B, C) -> logits (B, num_classes) by two dense layers."""

    def __init__(self, channels: int, hidden: int, num_classes: int, dropout: float) -> None:
        first, second = ((channels, hidden), (hidden, num_classes))
        super().__init__(
            [
                nn.Dense(*first, weight_init=Normal(0.01)),
                HardSwish(),
                nn.Dropout(p=dropout),
                nn.Dense(*second, weight_init=Normal(0.01)),
            ]
        )


class ConvHead(nn.SequentialCell):
    """The same by 1×1 convolutions, the first without bias."""

    def __init__(self, channels: int, hidden: int, num_classes: int, dropout: float) -> None:
        super().__init__(
            [
                conv2d(channels, hidden, 1),
                HardSwish(),
                nn.Dropout(p=dropout),
                conv2d(hidden, num_classes, 1, bias=True),
            ]
        )

    def construct(self, x: Tensor) -> Tensor:
        x = ops.expand_dims(ops.expand_dims(x, -1), -1)
        for layer in self.cell_list:
            x = layer(x)
        return ops.flatten(x)


def body(
    size: str, width: float, in_channels: int, numerics: Numerics
) -> tuple[list[nn.Cell], list[FeatureMap]]:
    """The stem's three cells and the blocks, and what each gives."""
    channels, stride = make_divisible(16 * width), 2
    layers = conv_norm(in_channels, channels, 3, 2, act=HardSwish, eps=numerics.bn_eps)
    maps = [FeatureMap(channels, stride)] * len(layers)
    for kernel, hidden, base, excite, act, step in _BLOCKS[size]:
        sizes = (channels, make_divisible(hidden * width), make_divisible(base * width))
        layers.append(InvertedResidual(*sizes, kernel, step, excite, act, numerics))
        channels, stride = sizes[2], stride * step
        maps.append(FeatureMap(channels, stride))
    return layers, maps


class MobileNetV3(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen layers."""

    def __init__(
        self,
        size: str,
        width: float,
        num_classes: int,
        in_channels: int,
        dropout: float,
        numerics: Numerics,
        head: str,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        layers, maps = body(size, width, in_channels, numerics)
        channels, eps = maps[-1].channels, numerics.bn_eps
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            last = 6 * channels
            layers += conv_norm(channels, last, 1, act=HardSwish, eps=eps)
            self.features = ReadLayers(layers)
            self.pool = GlobalAvgPool()
            if head == "dense":
                hidden = make_divisible(_LAST[size] * width)
                self.classifier = DenseHead(last, hidden, num_classes, dropout)
            else:
                self.classifier = ConvHead(last, _LAST_OF_CONVOLUTIONS, num_classes, dropout)
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        return x if self.features_only else self.classifier(self.pool(x))


def mobilenet_v3(
    size: str = "large",
    width: float = 1.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    conv_padding: Padding = "same",
    bn_eps: float = 1e-5,
    head: str = "dense",
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> MobileNetV3:
    """MobileNetV3: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        size: "large" or "small".
        width: multiplier of the channels: 0.75 and 1.0 are published.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the classifier's hidden features set to zero in training.
        conv_padding: of the depthwise convolutions: "same" (mindcv) or "symmetric" (the models
            repository, torchvision).
        bn_eps: epsilon of the batch norms; torchvision has 1e-3.
        head: "dense" (mindcv, torchvision) or "conv" (the models repository).
        features_only: leave out what follows the last block and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: an unknown size, padding, head or feature index.
    """
    check_padding(conv_padding)
    if size not in _BLOCKS or head not in ("dense", "conv"):
        raise ValueError(f"mobilenet_v3 has no size {size!r} with head {head!r}")
    numerics = Numerics(conv_padding, bn_eps)
    indices = tuple(out_indices) if features_only else None
    return MobileNetV3(size, width, num_classes, in_channels, dropout, numerics, head, indices)
