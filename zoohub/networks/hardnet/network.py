"""HarDNet-39, -68 and -85, without depthwise convolutions.

Source: Chao et al., "HarDNet: A Low Memory Traffic Network" (2019). Parameter names follow the
models repository's research/cv/hardnet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool


@dataclass(frozen=True, slots=True)
class _Spec:
    """`blocks`: channels behind a block, growth, convolutions, whether a pooling follows."""

    stem: tuple[int, int]
    multiplier: float
    blocks: tuple[tuple[int, int, int, bool], ...]
    drops_before_last: bool = False


_SPECS = {
    39: _Spec(
        (24, 48),
        1.6,
        ((96, 16, 4, True), (320, 20, 16, True), (640, 64, 8, True), (1024, 160, 4, False)),
    ),
    68: _Spec(
        (32, 64),
        1.7,
        (
            *((128, 14, 8, True), (256, 16, 16, False), (320, 20, 16, True)),
            *((640, 40, 16, True), (1024, 160, 4, False)),
        ),
    ),
    85: _Spec(
        (48, 96),
        1.7,
        (
            *((192, 24, 8, True), (256, 24, 16, False), (320, 28, 16, True)),
            *((480, 36, 16, False), (720, 48, 16, True), (1280, 256, 4, False)),
        ),
        drops_before_last=True,
    ),
}


class ConvLayer(nn.Cell):
    """Convolution, batch norm, ReLU6.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride)
        self.norm = BatchNorm2d(out_channels)

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu6(self.norm(self.conv(x)))


def _links(layer: int) -> list[int]:
    """The layers that `layer` reads: those a power of two before it that divides its number."""
    powers = [2**power for power in range(10)]
    return [layer - step for step in powers if layer % step == 0 and layer >= step]


def _widths(base: int, growth: int, multiplier: float, count: int) -> list[int]:
    """Channels of the block's input and its `count` layers."""
    widths = [base]
    for layer in range(1, count + 1):
        channels = growth * multiplier ** (len(_links(layer)) - 1)
        widths.append(int(int(channels + 1) / 2) * 2)
    return widths


class HarmonicBlock(nn.SequentialCell):
    """Convolutions that read earlier ones as waves in a harmonic series do.

    (B, base, H, W) -> (B, `out_channels`, H, W): every second layer's output, and the last's.
    """

    def __init__(self, base: int, growth: int, multiplier: float, count: int) -> None:
        widths = _widths(base, growth, multiplier, count)
        links = [_links(layer) for layer in range(1, count + 1)]
        super().__init__(
            [
                ConvLayer(sum(widths[source] for source in sources), widths[layer])
                for layer, sources in enumerate(links, 1)
            ]
        )
        self.links = tuple(tuple(sources) for sources in links)
        self.kept = tuple(
            layer for layer in range(1, count + 1) if layer % 2 == 1 or layer == count
        )
        self.out_channels = sum(widths[layer] for layer in self.kept)

    def construct(self, x: Tensor) -> Tensor:
        outputs: tuple[Tensor, ...] = (x,)
        for number, layer in enumerate(self.cell_list):
            read: tuple[Tensor, ...] = ()
            for source in self.links[number]:
                read = (*read, outputs[source])
            y = ops.concat(read, 1) if len(self.links[number]) > 1 else read[0]
            outputs = (*outputs, layer(y))
        kept: tuple[Tensor, ...] = ()
        for place in self.kept:
            kept = (*kept, outputs[place])
        return ops.concat(kept, 1)


class HarDNet(nn.Cell):
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
        first, channels = spec.stem
        layers: list[nn.Cell] = [
            ConvLayer(in_channels, first, stride=2),
            ConvLayer(first, channels),
            nn.MaxPool2d(3, 2),
        ]
        stride = 4
        maps = [FeatureMap(first, 2), FeatureMap(channels, 2), FeatureMap(channels, stride)]
        for number, (out_channels, growth, count, pools) in enumerate(spec.blocks, 1):
            block = HarmonicBlock(channels, growth, spec.multiplier, count)
            layers.append(block)
            if spec.drops_before_last and number == len(spec.blocks):
                layers.append(nn.Dropout(p=0.1))
            layers.append(ConvLayer(block.out_channels, out_channels, 1))
            channels = out_channels
            maps += [FeatureMap(channels, stride)] * (len(layers) - len(maps))
            if pools:
                layers.append(nn.MaxPool2d(2, 2))
                stride *= 2
                maps.append(FeatureMap(channels, stride))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.layers = ReadLayers(layers)
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            self.classifier = nn.Dense(channels, num_classes)
        else:
            self.layers, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.layers(x)
        return x if self.features_only else self.classifier(self.dropout(self.pool(x)))


def hardnet(
    depth: int = 85,
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> HarDNet:
    """HarDNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 39, 68 or 85; the last is published.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at about 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's
            size; the first pooling does not pad.

    Raises:
        ValueError: an unknown depth or feature index.
    """
    if depth not in _SPECS:
        raise ValueError(f"hardnet has depths {sorted(_SPECS)}, not {depth}")
    indices = tuple(out_indices) if features_only else None
    return HarDNet(_SPECS[depth], num_classes, in_channels, dropout, indices)
