"""ResNet-50 as AutoSlim slimmed it.

Source: Yu & Huang, "AutoSlim: Towards One-Shot Architecture Search for Channel Numbers" (2019).
Parameter names follow the models repository's research/cv/AutoSlim.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv_norm
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.pooling import GlobalAvgPool

# the channels that were found: of a stage, and of the first two convolutions of each block
_STEM = 32
_STAGES = (
    (72, ((16, 16), (16, 16), (8, 8))),
    (280, ((24, 40), (16, 24), (16, 24), (24, 40))),
    (880, ((72, 72), (72, 96), (72, 72), (72, 72), (48, 72), (168, 96))),
    (2016, ((360, 280), (320, 360), (480, 440))),
)


class Block(nn.Cell):
    """1×1, 3×3, 1×1: (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride)."""

    def __init__(
        self, in_channels: int, hidden: tuple[int, int], out_channels: int, stride: int
    ) -> None:
        super().__init__()
        self.body = nn.SequentialCell(
            [
                *conv_norm(in_channels, hidden[0], 1),
                *conv_norm(hidden[0], hidden[1], 3, stride),
                *conv_norm(hidden[1], out_channels, 1, act=None),
            ]
        )
        self.shortcut = None
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.SequentialCell(
                conv_norm(in_channels, out_channels, 1, stride, act=None)
            )

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu(self.body(x) + (x if self.shortcut is None else self.shortcut(x)))


class AutoSlim(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self, num_classes: int, in_channels: int, out_indices: tuple[int, ...] | None
    ) -> None:
        super().__init__()
        pool = nn.MaxPool2d(3, 2, pad_mode="same")
        layers: list[nn.Cell] = [
            nn.SequentialCell([*conv_norm(in_channels, _STEM, 7, 2), pool]),
        ]
        channels = _STEM
        maps = [FeatureMap(channels, 4)]
        for stage, (out_channels, blocks) in enumerate(_STAGES):
            for index, hidden in enumerate(blocks):
                stride = 2 if stage > 0 and index == 0 else 1
                layers.append(Block(channels, hidden, out_channels, stride))
                channels = out_channels
                maps.append(FeatureMap(channels, 4 * 2**stage))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.features = ReadLayers(layers)
            self.pool = GlobalAvgPool()
            self.classifier = nn.Dense(channels, num_classes)
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(x)
        return x if self.features_only else self.classifier(self.pool(x))


def autoslim(
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3),
) -> AutoSlim:
    """AutoSlim's ResNet-50: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 to 3 are the stages, at 1/4, 1/8, 1/16 and 1/32 of the picture's
            size.

    Raises:
        ValueError: a feature index that does not exist.
    """
    indices = tuple(out_indices) if features_only else None
    return AutoSlim(num_classes, in_channels, indices)
