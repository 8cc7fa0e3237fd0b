"""GhostNet of every width, and the larger GhostNet-600M.

Source: Han et al., "GhostNet: More Features from Cheap Operations" (2020). Parameter names are
those of mindcv; the models repository computes the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.activations import HardSigmoid, HardSwish
from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import ConvNormFeatures, Padding, conv2d, conv_norm
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.squeeze_excite import SqueezeExcite
from zoohub.networks.layers.widths import make_divisible

Act = Callable[[], nn.Cell]


@dataclass(frozen=True, slots=True)
class Block:
    """Sizes of one block. `squeeze` is 0 where it has no squeeze and excitation."""

    kernel: int
    hidden: int
    channels: int
    squeeze: int
    stride: int


@dataclass(frozen=True, slots=True)
class _Spec:
    stem: int
    stages: tuple[tuple[Block, ...], ...]
    last: int  # channels of the last block's convolution
    head: int
    act: Act


# kernel, hidden channels, channels, whether it excites, stride: table 7 of the paper
_GHOST = (
    ((3, 16, 16, False, 1),),
    ((3, 48, 24, False, 2),),
    ((3, 72, 24, False, 1),),
    ((5, 72, 40, True, 2),),
    ((5, 120, 40, True, 1),),
    ((3, 240, 80, False, 2),),
    (
        (3, 200, 80, False, 1),
        (3, 184, 80, False, 1),
        (3, 184, 80, False, 1),
        (3, 480, 112, True, 1),
        (3, 672, 112, True, 1),
    ),
    ((5, 672, 160, True, 2),),
    (
        (5, 960, 160, False, 1),
        (5, 960, 160, True, 1),
        (5, 960, 160, False, 1),
        (5, 960, 160, True, 1),
    ),
)
# kernel, expansion, channels, stride: research/cv/ghostnet of the models repository
_GHOST_600M = (
    ((3, 1, 16, 1),),
    ((3, 3, 24, 2),),
    ((3, 3, 24, 1),),
    ((5, 3, 40, 2),),
    ((3, 3, 40, 1), (3, 3, 40, 1)),
    ((3, 6, 80, 2),),
    (
        *((3, 2.5, 80, 1),) * 3,
        *((3, 6, 112, 1),) * 3,
    ),
    ((5, 6, 160, 2),),
    ((3, 6, 160, 1),) * 5,
)


def _ghost(width: float) -> _Spec:
    def block(kernel: int, hidden: int, channels: int, excite: bool, stride: int) -> Block:
        own = make_divisible(hidden * width, 4)
        squeeze = make_divisible(own / 4, 4) if excite else 0
        return Block(kernel, own, make_divisible(channels * width, 4), squeeze, stride)

    stages = tuple(tuple(block(*row) for row in stage) for stage in _GHOST)
    last = make_divisible(960 * width, 4)
    return _Spec(make_divisible(16 * width, 4), stages, last, 1280, nn.ReLU)


def _ghost_600m(width: float) -> _Spec:
    """1.75 times as wide at `width` 1; hidden channels follow the block before."""
    width = 1.75 * width
    stem = before = make_divisible(16 * width, 4)
    stages = []
    for rows in _GHOST_600M:
        stage = []
        for kernel, expansion, channels, stride in rows:
            hidden = make_divisible(before * expansion)
            before = make_divisible(channels * width, 4)
            squeeze = make_divisible(hidden // 10)
            stage.append(Block(int(kernel), hidden, before, squeeze, int(stride)))
        stages.append(tuple(stage))
    return _Spec(stem, tuple(stages), make_divisible(960 * width), 1400, HardSwish)


_VARIANTS = {"ghost": _ghost, "ghost_600m": _ghost_600m}


class GhostModule(Cell):
    """Half of the channels by a 1×1 convolution, the others each by a 3×3 one from these.

    (B, in_channels, H, W) -> (B, out_channels, H, W). `eps` and `momentum` are the batch norms'.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        act: Act | None,
        eps: float = 1e-5,
        momentum: float = 0.9,
    ) -> None:
        super().__init__()
        half = ceil(out_channels / 2)
        conv = partial(conv_norm, act=act, eps=eps, momentum=momentum)
        self.primary_conv = nn.SequentialCell(conv(in_channels, half, 1))
        self.cheap_operation = nn.SequentialCell(conv(half, half, 3, groups=half))
        self.surplus = 2 * half > out_channels
        self.out_channels = out_channels

    def construct(self, x: Tensor) -> Tensor:
        first = self.primary_conv(x)
        both = ops.concat((first, self.cheap_operation(first)), 1)
        return both[:, : self.out_channels] if self.surplus else both


class GhostBottleneck(Cell):
    """Expand, filter where the stride is 2, excite, project, and the shortcut.

    (B, in_channels, H, W) -> (B, channels, H / stride, W / stride). `padding` is that of the
    filters, `eps` and `momentum` are the batch norms'.
    """

    def __init__(
        self,
        in_channels: int,
        block: Block,
        act: Act,
        padding: Padding = "symmetric",
        eps: float = 1e-5,
        momentum: float = 0.9,
    ) -> None:
        super().__init__()
        kernel, hidden, stride = block.kernel, block.hidden, block.stride
        self.ghost1 = GhostModule(in_channels, hidden, act, eps, momentum)
        self.strided = stride > 1
        if self.strided:
            self.conv_dw = conv2d(hidden, hidden, kernel, stride, padding, groups=hidden)
            self.bn_dw = BatchNorm2d(hidden, eps, momentum)
        squeeze = block.squeeze
        self.se = SqueezeExcite(hidden, squeeze, gate=HardSigmoid) if squeeze else None
        self.ghost2 = GhostModule(hidden, block.channels, None, eps, momentum)
        self.shortcut = None
        if self.strided or in_channels != block.channels:
            conv = partial(conv_norm, act=None, eps=eps, momentum=momentum)
            filtered = conv(in_channels, in_channels, kernel, stride, padding, groups=in_channels)
            fitted = conv(in_channels, block.channels, 1)
            self.shortcut = nn.SequentialCell([*filtered, *fitted])

    def construct(self, x: Tensor) -> Tensor:
        y = self.ghost1(x)
        if self.strided:
            y = self.bn_dw(self.conv_dw(y))
        if self.se is not None:
            y = self.se(y)
        y = self.ghost2(y)
        return y + x if self.shortcut is None else y + self.shortcut(x)


class GhostNet(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        spec: _Spec,
        num_classes: int,
        in_channels: int,
        dropout: float,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.conv_stem = conv2d(in_channels, spec.stem, 3, 2)
        self.bn1 = BatchNorm2d(spec.stem)
        self.act = spec.act()
        channels, stride = spec.stem, 2
        stages: list[nn.Cell] = []
        maps = []
        for stage in spec.stages:
            cells = []
            for block in stage:
                cells.append(GhostBottleneck(channels, block, spec.act))
                channels, stride = block.channels, stride * block.stride
            stages.append(nn.SequentialCell(cells))
            maps.append(FeatureMap(channels, stride))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.blocks = ReadLayers([*stages, ConvNormFeatures(channels, spec.last, act=spec.act)])
            self.pool = GlobalAvgPool(keep_dims=True)
            self.conv_head = conv2d(spec.last, spec.head, 1, bias=True)
            self.dropout = nn.Dropout(p=dropout)
            self.classifier = nn.Dense(spec.head, num_classes)
        else:
            self.blocks, self.feature_info = read_stages(stages, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.blocks(self.act(self.bn1(self.conv_stem(x))))
        if self.features_only:
            return x
        x = ops.flatten(self.act(self.conv_head(self.pool(x))))
        return self.classifier(self.dropout(x))


def ghostnet(
    variant: str = "ghost",
    width: float = 1.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> GhostNet:
    """GhostNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        variant: "ghost", the paper's, or "ghost_600m", the larger one.
        width: multiplier of the channels: 0.5, 1.0 and 1.3 are published.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the classifier's inputs set to zero in training.
        features_only: leave out what follows the last block and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: an unknown variant or feature index.
    """
    if variant not in _VARIANTS:
        raise ValueError(f"ghostnet has variants {', '.join(_VARIANTS)}, not {variant!r}")
    indices = tuple(out_indices) if features_only else None
    return GhostNet(_VARIANTS[variant](width), num_classes, in_channels, dropout, indices)
