"""GoogLeNet (Inception v1), without the heads that only training uses.

Source: Szegedy et al., "Going Deeper with Convolutions" (2015). Parameter names are those of
mindcv, whose convolutions have neither norm nor bias. The models repository and torchvision have
batch norms (`batch_norm`) and a 3×3 kernel where the paper has 5×5 (`wide_kernel`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeNormal

from zoohub.networks.layers.conv import Padding, check_padding, conv2d
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

# 1×1; 1×1 and 3×3; 1×1 and 5×5; pooled 1×1: table 1 of the paper
Channels = tuple[int, int, int, int, int, int]
_BLOCKS: dict[str, Channels] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
_MAPS = (
    FeatureMap(64, 2),
    FeatureMap(192, 4),
    FeatureMap(480, 8),
    FeatureMap(832, 16),
    FeatureMap(1024, 32),
)


@dataclass(frozen=True, slots=True)
class _Numerics:
    batch_norm: bool
    wide_kernel: int
    padding: Padding
    bn_eps: float


class ConvAct(nn.Cell):
    """Convolution, batch norm where the publisher has one, ReLU.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, numerics: _Numerics, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = conv2d(
            in_channels, out_channels, kernel, stride, numerics.padding, weight_init=HeNormal()
        )
        self.bn = BatchNorm2d(out_channels, numerics.bn_eps) if numerics.batch_norm else None

    def construct(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return ops.relu(x if self.bn is None else self.bn(x))


class Inception(nn.Cell):
    """Four branches side by side: (B, in_channels, H, W) -> (B, sum of their channels, H, W)."""

    def __init__(self, in_channels: int, channels: Channels, numerics: _Numerics) -> None:
        super().__init__()
        first, second_in, second, third_in, third, pooled = channels
        self.b1 = ConvAct(in_channels, first, 1, numerics)
        self.b2 = nn.SequentialCell(
            [ConvAct(in_channels, second_in, 1, numerics), ConvAct(second_in, second, 3, numerics)]
        )
        self.b3 = nn.SequentialCell(
            [
                ConvAct(in_channels, third_in, 1, numerics),
                ConvAct(third_in, third, numerics.wide_kernel, numerics),
            ]
        )
        self.b4 = nn.SequentialCell(
            [nn.MaxPool2d(3, 1, pad_mode="same"), ConvAct(in_channels, pooled, 1, numerics)]
        )

    def construct(self, x: Tensor) -> Tensor:
        return ops.concat((self.b1(x), self.b2(x), self.b3(x), self.b4(x)), 1)


class GoogLeNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or feature maps of chosen stages."""

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        dropout: float,
        numerics: _Numerics,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.feature_info = tuple(_MAPS[index] for index in out_indices or ())
        self.conv1 = ConvAct(in_channels, 64, 7, numerics, 2)
        self.conv2 = ConvAct(64, 64, 1, numerics)
        self.conv3 = ConvAct(64, 192, 3, numerics)
        self.maxpool = nn.MaxPool2d(3, 2, pad_mode="same")
        self.maxpool4 = nn.MaxPool2d(2, 2, pad_mode="same")
        channels = 192
        for name, sizes in _BLOCKS.items():
            setattr(self, f"inception{name}", Inception(channels, sizes, numerics))
            channels = sizes[0] + sizes[2] + sizes[4] + sizes[5]
        if out_indices is None:
            self.pool = GlobalAvgPool()
            self.dropout = nn.Dropout(p=dropout)
            self.classifier = nn.Dense(channels, num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        stem = self.conv1(x)
        stage2 = self.conv3(self.conv2(self.maxpool(stem)))
        stage3 = self.inception3b(self.inception3a(self.maxpool(stage2)))
        x = self.inception4b(self.inception4a(self.maxpool(stage3)))
        stage4 = self.inception4e(self.inception4d(self.inception4c(x)))
        stage5 = self.inception5b(self.inception5a(self.maxpool4(stage4)))
        if self.out_indices is None:
            return self.classifier(self.dropout(self.pool(stage5)))
        maps = (stem, stage2, stage3, stage4, stage5)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def googlenet(
    num_classes: int = 1000,
    in_channels: int = 3,
    dropout: float = 0.2,
    batch_norm: bool = False,
    wide_kernel: int = 5,
    conv_padding: Padding = "same",
    bn_eps: float = 1e-3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> GoogLeNet:
    """GoogLeNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        dropout: share of the pooled features set to zero in training.
        batch_norm: whether each convolution has one.
        wide_kernel: of the third branch: 5 (mindcv, the paper) or 3 (the models repository).
        conv_padding: of the first convolution: "same" (mindcv) or "symmetric" (torchvision).
        bn_eps: epsilon of the batch norms.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 to 4 are at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture's size.

    Raises:
        ValueError: an unknown padding or feature index.
    """
    check_padding(conv_padding)
    numerics = _Numerics(batch_norm, wide_kernel, conv_padding, bn_eps)
    indices = check_out_indices(out_indices, len(_MAPS)) if features_only else None
    return GoogLeNet(num_classes, in_channels, dropout, numerics, indices)
