"""ResNet with bottleneck attention between its stages.

Source: Park et al., "BAM: Bottleneck Attention Module" (2018). Parameter names are those of the
MindSpore models repository.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import (
    BottleneckBlock,
    Numerics,
    ResidualNetwork,
    blocks_of,
    classifier,
)

DEPTHS = (50, 101)
_REDUCTION = 16
_DILATION = 4


class ChannelGate(nn.Cell):
    """(B, channels, H, W) -> (B, channels, 1, 1), from the mean over the picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        hidden = channels // _REDUCTION
        self.gate_c = nn.SequentialCell(
            [
                nn.Identity(),
                nn.Dense(channels, hidden),
                nn.BatchNorm1d(hidden),
                nn.ReLU(),
                nn.Dense(hidden, channels),
            ]
        )

    def construct(self, x: Tensor) -> Tensor:
        return ops.reshape(self.gate_c(ops.mean(x, (2, 3))), (-1, self.channels, 1, 1))


class SpatialGate(nn.Cell):
    """(B, channels, H, W) -> (B, 1, H, W), from dilated convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // _REDUCTION
        cells: list[nn.Cell] = [conv2d(channels, hidden, 1, bias=True)]
        for _ in range(2):
            dilated = nn.Conv2d(
                hidden,
                hidden,
                3,
                pad_mode="pad",
                padding=_DILATION,
                dilation=_DILATION,
                has_bias=True,
            )
            cells += [BatchNorm2d(hidden), nn.ReLU(), dilated]
        cells += [BatchNorm2d(hidden), nn.ReLU(), conv2d(hidden, 1, 1, bias=True)]
        self.gate_s = nn.SequentialCell(cells)

    def construct(self, x: Tensor) -> Tensor:
        return self.gate_s(x)


class BottleneckAttention(nn.Cell):
    """The input times 1 to 2, by channel and place: (B, channels, H, W) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel_att = ChannelGate(channels)
        self.spatial_att = SpatialGate(channels)

    def construct(self, x: Tensor) -> Tensor:
        return x * (1.0 + ops.sigmoid(self.channel_att(x) * self.spatial_att(x)))


class BAMResNet(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depth: int,
        num_classes: int,
        in_channels: int,
        numerics: Numerics,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, 64, 7, 2, numerics.conv_padding)
        self.bn1 = BatchNorm2d(64, numerics.outer_bn_eps)
        self.max_pool = numerics.stem_pool()
        self.bam1 = BottleneckAttention(256)
        self.bam2 = BottleneckAttention(512)
        self.bam3 = BottleneckAttention(1024)
        width = self.add_stages(
            lambda inputs, channels, stride, place: BottleneckBlock(
                inputs, channels, stride, numerics
            ),
            blocks_of("bam", depth, DEPTHS),
            64,
            out_indices,
        )
        if out_indices is None:
            self.fc = classifier(width, num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        stem = self.stem(x)
        stage1 = self.layer1(self.max_pool(stem))
        stage2 = self.layer2(self.bam1(stage1))
        stage3 = self.layer3(self.bam2(stage2))
        stage4 = self.layer4(self.bam3(stage3))
        if self.out_indices is None:
            return self.fc(ops.mean(stage4, (2, 3)))
        return self.chosen((stem, stage1, stage2, stage3, stage4))


def bam(
    depth: int = 50,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> BAMResNet:
    """ResNet with BAM: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 50 or 101.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32), before the attention.

    Raises:
        ValueError: an unknown depth or feature index.
    """
    indices = check_out_indices(out_indices, 5) if features_only else None
    return BAMResNet(depth, num_classes, in_channels, Numerics(), indices)
