"""ShuffleNetV2 of every width.

Source: Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design"
(2018). Parameter names are those of mindcv; the models repository computes the same. torchvision
mixes the channels behind a block (`shuffle`), not before it, and has a bias in the classifier.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import check_padding, conv2d, conv_norm
from zoohub.networks.layers.features import FeatureMap, ReadLayers, read_stages
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool, ZeroPadMaxPool
from zoohub.networks.layers.routing import ChannelShuffle

# channels of the first stage and of the last convolution; a stage has twice the one before
_CHANNELS = {0.5: (48, 1024), 1.0: (116, 1024), 1.5: (176, 1024), 2.0: (244, 2048)}
_STEM = 24
_REPEATS = (4, 8, 4)


class ShuffleBlock(Cell):
    """Half of the channels pass, the others are filtered; at stride 2 both branches filter all.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride). `after` mixes the channels
    of the result, and both branches give half of them; else the block takes every second channel of
    its input, and the first branch keeps its width.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, after: bool) -> None:
        super().__init__()
        own = in_channels if stride == 2 else in_channels // 2
        hidden = out_channels // 2
        kept = hidden if after and stride == 2 else own
        self.branch_main = nn.SequentialCell(
            [
                *conv_norm(own, hidden, 1),
                *conv_norm(hidden, hidden, 3, stride, groups=hidden, act=None),
                *conv_norm(hidden, out_channels - kept, 1),
            ]
        )
        self.branch_proj = None
        if stride == 2:
            filtered = conv_norm(own, own, 3, stride, groups=own, act=None)
            self.branch_proj = nn.SequentialCell([*filtered, *conv_norm(own, kept, 1)])
        self.half = in_channels // 2
        self.shuffled_before = stride == 1 and not after
        self.shuffled_after = after
        self.shuffle = ChannelShuffle(out_channels, out_channels // 2 if after else 2)

    def construct(self, x: Tensor) -> Tensor:
        if self.branch_proj is not None:
            first, second = self.branch_proj(x), x
        else:
            x = self.shuffle(x) if self.shuffled_before else x
            first, second = x[:, : self.half], x[:, self.half :]
        y = ops.concat((first, self.branch_main(second)), 1)
        return self.shuffle(y) if self.shuffled_after else y


class ShuffleNetV2(Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        width: float,
        num_classes: int,
        in_channels: int,
        after: bool,
        classifier_bias: bool,
        pool: nn.Cell,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        first_stage, last = _CHANNELS[width]
        self.first_conv = nn.SequentialCell(
            [
                conv2d(in_channels, _STEM, 3, 2, weight_init=Normal(0.01)),
                BatchNorm2d(_STEM),
                nn.ReLU(),
            ]
        )
        self.max_pool = pool
        layers: list[nn.Cell] = []
        maps = []
        channels = _STEM
        for stage, repeats in enumerate(_REPEATS):
            out_channels = first_stage * 2**stage
            for index in range(repeats):
                layers.append(ShuffleBlock(channels, out_channels, 1 if index else 2, after))
                channels = out_channels
                maps.append(FeatureMap(channels, 8 * 2**stage))
        self.features_only = out_indices is not None
        self.feature_info: tuple[FeatureMap, ...] = ()
        if out_indices is None:
            self.features = ReadLayers(layers)
            self.conv_last = nn.SequentialCell(conv_norm(channels, last, 1))
            self.pool = GlobalAvgPool()
            self.classifier = nn.Dense(
                last, num_classes, weight_init=Normal(0.01), has_bias=classifier_bias
            )
        else:
            self.features, self.feature_info = read_stages(layers, maps, out_indices)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.features(self.max_pool(self.first_conv(x)))
        return x if self.features_only else self.classifier(self.pool(self.conv_last(x)))


def shufflenet_v2(
    width: float = 1.0,
    num_classes: int = 1000,
    in_channels: int = 3,
    shuffle: str = "before",
    classifier_bias: bool = False,
    pool_padding: str = "same",
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2),
) -> ShuffleNetV2:
    """ShuffleNetV2: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        width: 0.5, 1.0, 1.5 or 2.0.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        shuffle: where a block mixes its channels: "before" it (mindcv) or "after" (torchvision).
        classifier_bias: whether the classifier has one.
        pool_padding: of the stem's max pooling: "same" (mindcv) or "symmetric" (torchvision).
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 to 2 are the stages, at 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: an unknown width, place of the shuffle, padding or feature index.
    """
    check_padding(pool_padding)
    if width not in _CHANNELS or shuffle not in ("before", "after"):
        raise ValueError(f"shufflenet_v2 has no width {width} with shuffle {shuffle!r}")
    pool = nn.MaxPool2d(3, 2, pad_mode="same") if pool_padding == "same" else ZeroPadMaxPool()
    indices = tuple(out_indices) if features_only else None
    after = shuffle == "after"
    return ShuffleNetV2(width, num_classes, in_channels, after, classifier_bias, pool, indices)
