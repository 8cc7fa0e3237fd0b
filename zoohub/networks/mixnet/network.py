"""MixNet, small, medium and large.

Source: Tan & Le, "MixConv: Mixed Depthwise Convolutional Kernels" (2019). Parameter names are
those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Uniform

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import conv2d, conv_norm
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.grouped_conv import grouped_conv2d
from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.squeeze_excite import SqueezeExcite
from zoohub.networks.layers.widths import make_divisible

# channels, kernels of depthwise groups, groups of the expansion and of the projection, stride,
# expansion, activation, squeezed share: figure 5 of the paper
Row = tuple[int, tuple[int, ...], int, int, int, int, type[nn.Cell], float]
_SMALL: tuple[Row, ...] = (
    (16, (3,), 1, 1, 1, 1, nn.ReLU, 0.0),
    (24, (3,), 2, 2, 2, 6, nn.ReLU, 0.0),
    (24, (3,), 2, 2, 1, 3, nn.ReLU, 0.0),
    (40, (3, 5, 7), 1, 1, 2, 6, nn.SiLU, 0.5),
    *((40, (3, 5), 2, 2, 1, 6, nn.SiLU, 0.5),) * 3,
    (80, (3, 5, 7), 1, 2, 2, 6, nn.SiLU, 0.25),
    *((80, (3, 5), 1, 2, 1, 6, nn.SiLU, 0.25),) * 2,
    (120, (3, 5, 7), 2, 2, 1, 6, nn.SiLU, 0.5),
    *((120, (3, 5, 7, 9), 2, 2, 1, 3, nn.SiLU, 0.5),) * 2,
    (200, (3, 5, 7, 9, 11), 1, 1, 2, 6, nn.SiLU, 0.5),
    *((200, (3, 5, 7, 9), 1, 2, 1, 6, nn.SiLU, 0.5),) * 2,
)
_MEDIUM: tuple[Row, ...] = (
    (24, (3,), 1, 1, 1, 1, nn.ReLU, 0.0),
    (32, (3, 5, 7), 2, 2, 2, 6, nn.ReLU, 0.0),
    (32, (3,), 2, 2, 1, 3, nn.ReLU, 0.0),
    (40, (3, 5, 7, 9), 1, 1, 2, 6, nn.SiLU, 0.5),
    *((40, (3, 5), 2, 2, 1, 6, nn.SiLU, 0.5),) * 3,
    (80, (3, 5, 7), 1, 1, 2, 6, nn.SiLU, 0.25),
    *((80, (3, 5, 7, 9), 2, 2, 1, 6, nn.SiLU, 0.25),) * 3,
    (120, (3,), 1, 1, 1, 6, nn.SiLU, 0.5),
    *((120, (3, 5, 7, 9), 2, 2, 1, 3, nn.SiLU, 0.5),) * 3,
    (200, (3, 5, 7, 9), 1, 1, 2, 6, nn.SiLU, 0.5),
    *((200, (3, 5, 7, 9), 1, 2, 1, 6, nn.SiLU, 0.5),) * 3,
)
# channels of the stem, blocks, multiplier of the channels
_SIZES = {"small": (16, _SMALL, 1.0), "medium": (24, _MEDIUM, 1.0), "large": (24, _MEDIUM, 1.3)}
_LAST = 1536
# mindcv lists a convolution's groups without a cell around them.
_PUBLISHED_NAMES = ((r"(.+\.grouped_conv)\.convs\.(.+)", r"\1.\2"),)


def _shares(channels: int, groups: int) -> list[int]:
    """`channels` in equal parts, the first with what is left over."""
    part = channels // groups
    return [part + channels - part * groups, *[part] * (groups - 1)]


class MixedDepthwiseConv(Cell):
    """Depthwise convolutions of several kernels: (B, C, H, W) -> (B, C, H / stride, W / stride)."""

    def __init__(self, channels: int, kernels: Sequence[int], stride: int) -> None:
        super().__init__()
        shares = _shares(channels, len(kernels))
        self.starts = tuple(sum(shares[:group]) for group in range(len(kernels) + 1))
        convs = [
            conv2d(share, share, kernel, stride, groups=share)
            for share, kernel in zip(shares, kernels, strict=True)
        ]
        self.single = len(convs) == 1
        self.mixed_depthwise_conv = convs[0] if self.single else nn.CellList(convs)

    def construct(self, x: Tensor) -> Tensor:
        if self.single:
            return self.mixed_depthwise_conv(x)
        parts: tuple[Tensor, ...] = ()
        for group, conv in enumerate(self.mixed_depthwise_conv):
            parts = (*parts, conv(x[:, self.starts[group] : self.starts[group + 1]]))
        return ops.concat(parts, 1)


class Pointwise(Cell):
    """A 1×1 convolution in groups: (B, in_channels, H, W) -> (B, out_channels, H, W)."""

    def __init__(self, in_channels: int, out_channels: int, groups: int) -> None:
        super().__init__()
        split = groups > 1
        self.grouped_conv = grouped_conv2d(in_channels, out_channels, 1, groups=groups, split=split)

    def construct(self, x: Tensor) -> Tensor:
        return self.grouped_conv(x)


class MixNetBlock(Cell):
    """Expand, filter by several kernels, excite, project; the input added where shapes allow.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(self, in_channels: int, out_channels: int, row: Row) -> None:
        super().__init__()
        _, kernels, expand_groups, project_groups, stride, expansion, act, share = row
        hidden = in_channels * expansion
        layers: list[nn.Cell] = []
        if expansion != 1:
            expand = Pointwise(in_channels, hidden, expand_groups)
            layers += [expand, BatchNorm2d(hidden), act()]
        layers += [MixedDepthwiseConv(hidden, kernels, stride), BatchNorm2d(hidden), act()]
        if share > 0:
            layers.append(SqueezeExcite(hidden, int(in_channels * share)))
        project = Pointwise(hidden, out_channels, project_groups)
        self.convs = nn.SequentialCell([*layers, project, BatchNorm2d(out_channels)])
        self.shortcut = stride == 1 and in_channels == out_channels

    def construct(self, x: Tensor) -> Tensor:
        return x + self.convs(x) if self.shortcut else self.convs(x)


class MixNet(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen layers."""

    def __init__(
        self,
        size: str,
        width: float,
        num_classes: int,
        in_channels: int,
        dropout: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        channels, rows, multiplier = _SIZES[size]
        multiplier, stride = multiplier * width, 2
        if multiplier != 1.0:
            channels = make_divisible(channels * multiplier)
        self.stem_conv = nn.SequentialCell(conv_norm(in_channels, channels, 3, 2))
        layers, maps = [], []
        for row in rows:
            out_channels = make_divisible(row[0] * multiplier) if multiplier != 1.0 else row[0]
            layers.append(MixNetBlock(channels, out_channels, row))
            channels, stride = out_channels, stride * row[4]
            maps.append(FeatureMap(channels, stride))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.layers = ReadLayers(layers)
            self.head_conv = nn.SequentialCell(conv_norm(channels, _LAST, 1))
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            init = Uniform(num_classes**-0.5)
            self.classifier = nn.Dense(_LAST, num_classes, weight_init=init)
        else:
            self.layers, self.feature_info = read_stages(layers, maps, out_indices)
        name_parameters(self, _PUBLISHED_NAMES)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.layers(self.stem_conv(x))
        if self.features_only:
            return x
        return self.classifier(self.dropout(self.pool(self.head_conv(x))))


def mixnet(
    size: str = "small",
    width: float = 1.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> MixNet:
    """MixNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        size: "small", "medium" or "large".
        width: multiplier of the size's channels; all published files have 1.0.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        features_only: leave out what follows the last block and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: an unknown size or feature index.
    """
    if size not in _SIZES:
        raise ValueError(f"mixnet has sizes {', '.join(_SIZES)}, not {size!r}")
    indices = tuple(out_indices) if features_only else None
    return MixNet(size, width, num_classes, in_channels, dropout, indices)
