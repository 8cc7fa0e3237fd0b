"""ISyNet.

Source: Letunovskiy et al., "ISyNet: Convolutional Neural Networks design for AI accelerator"
(2021). Parameter names follow the models repository's research/cv/ISyNet, which learned each
network together with a larger one; only the network itself is here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import HeNormal, initializer

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

_EDGES, _HIDDEN = 4, 1280
_STANDARDIZATION_EPS = 5e-4


@dataclass(frozen=True, slots=True)
class _Stage:
    """Blocks of up to four convolutions.

    `kernels` name them, "-" where there is none; "5s" is a column of 5 and then a row of 5. The
    stage has 16 · 2^(stage + `widening`) channels, `expansion` times as many between the
    convolutions. `relu`: whether the fourth convolution has an activation. `skips`: whether a block
    adds its input, which the first never does.
    """

    kernels: str
    blocks: int
    widening: int = 0
    expansion: int = 1
    relu: bool = True
    skips: bool = True


_N1_STEM = (_Stage("7 - - -", 1), _Stage("5s 1 3 5", 1))


def _n1(third: int, fourth: int, fifth: int) -> tuple[_Stage, ...]:
    return (
        *_N1_STEM,
        _Stage("3 3 3 -", third, widening=1),
        _Stage("3 1 3 -", fourth, expansion=2),
        _Stage("1 1 - 1", fifth),
    )


_VARIANTS = {
    "n0": (
        _Stage("5 - - -", 1),
        _Stage("3 - 3 -", 2),
        _Stage("3 3 3 1", 4),
        _Stage("1 - - 3", 2, relu=False),
        _Stage("3 3 1 -", 6),
    ),
    "n1": _n1(4, 6, 1),
    "n1s1": _n1(4, 6, 3),
    "n1s2": _n1(5, 6, 6),
    "n1s3": _n1(6, 8, 7),
    "n2": (
        _Stage("3 7 - 7", 1),
        _Stage("5 - 3 3", 3, expansion=2, relu=False, skips=False),
        _Stage("3 3 - -", 4),
        _Stage("3 - 1 -", 17, widening=1, relu=False),
        _Stage("1 - 1 1", 2, widening=2),
    ),
    "n3": (
        _Stage("5 - - 7", 1, widening=1),
        _Stage("3 - 3 -", 5, widening=1, relu=False),
        _Stage("3 3s 3 3", 3, widening=1),
        _Stage("3s 1 - 3", 13, widening=1, relu=False),
        _Stage("1 1 - 1", 1, widening=2),
    ),
}


class StandardizedConv2d(nn.Cell):
    """A convolution whose weight has, for each output, mean 0 and deviation 1.

    (B, in_channels, H, W) -> (B, out_channels, …).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: tuple[int, int],
        stride: tuple[int, int],
    ) -> None:
        super().__init__()
        shape = (out_channels, in_channels, *kernel)
        self.weight = Parameter(initializer(HeNormal(), shape), name="weight")
        size = in_channels * kernel[0] * kernel[1]
        self.unbiased = size / (size - 1) if size > 1 else 1.0
        rows, columns = kernel[0] // 2, kernel[1] // 2
        pads = (rows, rows, columns, columns)
        self.conv = ops.Conv2D(out_channels, kernel, pad_mode="pad", pad=pads, stride=stride)

    def construct(self, x: Tensor) -> Tensor:
        weight = self.weight - ops.mean(self.weight, (1, 2, 3), True)
        variance = ops.mean(ops.square(weight), (1, 2, 3), True) * self.unbiased
        return self.conv(x, weight / (ops.sqrt(variance) + _STANDARDIZATION_EPS))


def _conv(
    in_channels: int,
    out_channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    standardized: bool,
) -> nn.Cell:
    if standardized:
        return StandardizedConv2d(in_channels, out_channels, kernel, stride)
    return conv2d(in_channels, out_channels, kernel, stride)


class ConvUnit(nn.Cell):
    """One convolution, or a column and a row, then batch norm and ReLU where `relu`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: str,
        stride: int,
        relu: bool,
        standardized: bool,
    ) -> None:
        super().__init__()
        size = int(kernel[0])
        convs = [((size, size), (stride, stride))]
        if kernel.endswith("s"):
            convs = [((size, 1), (stride, 1)), ((1, size), (1, stride))]
        layers: list[nn.Cell] = []
        for own, step in convs:
            layers.append(_conv(in_channels, out_channels, own, step, standardized))
            in_channels = out_channels
        layers.append(BatchNorm2d(out_channels))
        self.layers = nn.SequentialCell([*layers, nn.ReLU()] if relu else layers)

    def construct(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Block(nn.SequentialCell):
    """Convolutions named by their places, and the input added where `skips`."""

    def __init__(self, units: dict[str, nn.Cell], skips: bool) -> None:
        super().__init__(OrderedDict(units))
        self.skips = skips

    def construct(self, x: Tensor) -> Tensor:
        y = x
        for unit in self.cell_list:
            y = unit(y)
        return y + x if self.skips else y


def _block(
    stage: _Stage, in_channels: int, out_channels: int, stride: int, skips: bool, standardized: bool
) -> Block:
    kernels = stage.kernels.split()
    used = [place for place, kernel in enumerate(kernels) if kernel != "-"]
    units: dict[str, nn.Cell] = {}
    for place in used:
        last = place == used[-1]
        channels = out_channels if last else out_channels * stage.expansion
        relu = stage.relu or place != _EDGES - 1
        units[str(place)] = ConvUnit(
            in_channels, channels, kernels[place], stride, relu, standardized
        )
        in_channels, stride = channels, 1
    return Block(units, skips)


class ISyNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        stages: Sequence[_Stage],
        num_classes: int,
        in_channels: int,
        dropout: float,
        standardized: bool,
        last_norm: bool,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        channels = in_channels
        layers: list[nn.Cell] = []
        maps = []
        for number, stage in enumerate(stages):
            out_channels = 16 * 2 ** (number + stage.widening)
            for index in range(stage.blocks):
                stride, skips = (1 if index else 2), bool(index) and stage.skips
                layers.append(_block(stage, channels, out_channels, stride, skips, standardized))
                channels = out_channels
                maps.append(FeatureMap(channels, 2 ** (number + 1)))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        self.bn2 = None
        if out_indices is None:
            self.blocks = ReadLayers(layers)
            self.conv_head = conv2d(channels, _HIDDEN, 1)
            self.bn1 = BatchNorm2d(_HIDDEN)
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            self.fc = nn.Dense(_HIDDEN, num_classes)
            if last_norm:
                self.bn2 = BatchNorm2d(num_classes)
        else:
            self.blocks, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.blocks(x)
        if self.features_only:
            return x
        x = self.pool(ops.relu(self.bn1(self.conv_head(x))))
        x = self.fc(self.dropout(x))
        if self.bn2 is None:
            return x
        return ops.flatten(self.bn2(ops.expand_dims(ops.expand_dims(x, -1), -1)))


def isynet(
    variant: str = "n0",
    num_classes: int = 1001,
    in_channels: int = 3,
    dropout: float = 0.0,
    weight_standardization: bool = False,
    last_norm: bool = True,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> ISyNet:
    """ISyNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        variant: "n0", "n1", "n1s1", "n1s2", "n1s3", "n2" or "n3".
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the classifier's inputs set to zero in training.
        weight_standardization: whether the blocks' convolutions standardise their weights.
        last_norm: whether the logits go through a batch norm.
        features_only: leave out the head and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: an unknown variant or feature index.
    """
    if variant not in _VARIANTS:
        raise ValueError(f"isynet has variants {', '.join(_VARIANTS)}, not {variant!r}")
    indices = tuple(out_indices) if features_only else None
    return ISyNet(
        _VARIANTS[variant],
        num_classes,
        in_channels,
        dropout,
        weight_standardization,
        last_norm,
        indices,
    )
