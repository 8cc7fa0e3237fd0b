"""ShuffleNetV1 of every width, with 3 or 8 groups.

Source: Zhang et al., "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile
Devices" (2018). Parameter names are those of mindcv, which stores a grouped convolution group by
group since 0.4 and whole before (`split_groups`). The models repository's classifier has a bias
(`classifier_bias`).
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.conv import conv2d, conv_norm
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.grouped_conv import grouped_conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool
from zoohub.networks.layers.routing import ChannelShuffle

# Channels of the stem and the first stage, by groups and width; a stage has twice the one before.
_CHANNELS = {
    3: {0.5: (12, 120), 1.0: (24, 240), 1.5: (24, 360), 2.0: (48, 480)},
    8: {0.5: (16, 192), 1.0: (24, 384), 1.5: (24, 576), 2.0: (48, 768)},
}
_REPEATS = (4, 8, 4)


class ShuffleBlock(nn.Cell):
    """Grouped 1×1, shuffle, depthwise 3×3, grouped 1×1; the input added, or beside it at stride 2.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        groups: int,
        first: bool,
        split_groups: bool,
    ) -> None:
        super().__init__()
        hidden = out_channels // 4
        own = out_channels - in_channels if stride == 2 else out_channels
        # The first block's input is too narrow to be grouped.
        squeeze_groups = 1 if first else groups
        self.branch_main_1 = nn.SequentialCell(
            [
                grouped_conv2d(in_channels, hidden, 1, groups=squeeze_groups, split=split_groups),
                BatchNorm2d(hidden),
                nn.ReLU(),
            ]
        )
        self.branch_main_2 = nn.SequentialCell(
            [
                *conv_norm(hidden, hidden, 3, stride, groups=hidden, act=None),
                grouped_conv2d(hidden, own, 1, groups=groups, split=split_groups),
                BatchNorm2d(own),
            ]
        )
        self.branch_proj = nn.AvgPool2d(3, 2, pad_mode="same") if stride == 2 else None
        self.shuffle = ChannelShuffle(hidden, groups)

    def construct(self, x: Tensor) -> Tensor:
        y = self.branch_main_2(self.shuffle(self.branch_main_1(x)))
        if self.branch_proj is None:
            return ops.relu(x + y)
        return ops.relu(ops.concat((self.branch_proj(x), y), 1))


class ShuffleNetV1(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        stem: int,
        first_stage: int,
        groups: int,
        num_classes: int,
        in_channels: int,
        split_groups: bool,
        classifier_bias: bool,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.first_conv = nn.SequentialCell(
            [
                conv2d(in_channels, stem, 3, 2, weight_init=Normal(0.01)),
                BatchNorm2d(stem),
                nn.ReLU(),
            ]
        )
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="same")
        layers: list[nn.Cell] = []
        maps = []
        channels = stem
        for stage, repeats in enumerate(_REPEATS):
            out_channels = first_stage * 2**stage
            for index in range(repeats):
                stride, first = (1 if index else 2), not layers
                layers.append(
                    ShuffleBlock(channels, out_channels, stride, groups, first, split_groups)
                )
                channels = out_channels
                maps.append(FeatureMap(channels, 8 * 2**stage))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.features = ReadLayers(layers)
            self.pool = GlobalAvgPool()
            self.classifier = nn.Dense(
                channels, num_classes, weight_init=Normal(0.01), has_bias=classifier_bias
            )
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(self.max_pool(self.first_conv(x)))
        return x if self.features_only else self.classifier(self.pool(x))


def shufflenet_v1(
    width: float = 1.0,
    groups: int = 3,
    num_classes: int = 1000,
    in_channels: int = 3,
    split_groups: bool = True,
    classifier_bias: bool = False,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2),
) -> ShuffleNetV1:
    """ShuffleNetV1: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        width: 0.5, 1.0, 1.5 or 2.0.
        groups: of the 1×1 convolutions: 3 or 8.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        split_groups: whether a grouped convolution's weights are stored group by group.
        classifier_bias: whether the classifier has one.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 to 2 are the stages, at 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: an unknown width, number of groups or feature index.
    """
    if width not in _CHANNELS.get(groups, {}):
        raise ValueError(f"shufflenet_v1 has no width {width} with {groups} groups")
    stem, first_stage = _CHANNELS[groups][width]
    indices = tuple(out_indices) if features_only else None
    return ShuffleNetV1(
        stem, first_stage, groups, num_classes, in_channels, split_groups, classifier_bias, indices
    )
