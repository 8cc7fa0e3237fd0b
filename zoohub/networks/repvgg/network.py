"""RepVGG: three branches while it is trained, which amount to one 3×3 convolution.

Source: Ding et al., "RepVGG: Making VGG-style ConvNets Great Again" (2021), in the form that is
trained and published. Parameter names are those of mindcv.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import FeatureMap, check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import classifier

_CHANNELS = (64, 128, 256, 512)


def _conv_norm(
    in_channels: int, channels: int, kernel: int, stride: int, groups: int
) -> nn.SequentialCell:
    conv = conv2d(in_channels, channels, kernel, stride, groups=groups)
    return nn.SequentialCell([conv, BatchNorm2d(channels)])


class RepVGGBlock(nn.Cell):
    """3×3 and 1×1 convolution and, where shapes allow, the input, each normalised, added up.

    (B, in_channels, H, W) -> (B, channels, H / stride, W / stride).
    """

    def __init__(self, in_channels: int, channels: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        keeps = stride == 1 and in_channels == channels
        self.rbr_identity = BatchNorm2d(channels) if keeps else None
        self.rbr_dense = _conv_norm(in_channels, channels, 3, stride, groups)
        self.rbr_1x1 = _conv_norm(in_channels, channels, 1, stride, groups)

    def construct(self, x: Tensor) -> Tensor:
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        if self.rbr_identity is not None:
            y = y + self.rbr_identity(x)
        return ops.relu(y)


class RepVGG(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depths: Sequence[int],
        widths: Sequence[float],
        groups: int,
        num_classes: int,
        in_channels: int,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        channels = min(64, int(64 * widths[0]))
        self.stage0 = RepVGGBlock(in_channels, channels, 2)
        maps, stages, layer = [FeatureMap(channels, 2)], [], 0
        for index, (depth, width) in enumerate(zip(depths, widths, strict=True)):
            wide, blocks = int(_CHANNELS[index] * width), []
            for place in range(depth):
                layer += 1
                grouped = groups if layer % 2 == 0 and layer <= 26 else 1
                blocks.append(RepVGGBlock(channels, wide, 2 if place == 0 else 1, grouped))
                channels = wide
            stages.append(nn.SequentialCell(blocks))
            maps.append(FeatureMap(channels, 4 * 2**index))
        self.stage1, self.stage2, self.stage3, self.stage4 = stages
        self.feature_info = tuple(maps[index] for index in out_indices or ())
        if out_indices is None:
            self.linear = classifier(channels, num_classes)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        stem = self.stage0(x)
        stage1 = self.stage1(stem)
        stage2 = self.stage2(stage1)
        stage3 = self.stage3(stage2)
        stage4 = self.stage4(stage3)
        if self.out_indices is None:
            return self.linear(ops.mean(stage4, (2, 3)))
        maps = (stem, stage1, stage2, stage3, stage4)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def repvgg(
    depths: Sequence[int] = (2, 4, 14, 1),
    widths: Sequence[float] = (0.75, 0.75, 0.75, 2.5),
    groups: int = 1,
    num_classes: int = 1000,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> RepVGG:
    """RepVGG: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    The defaults are RepVGG-A0's.

    Args:
        depths: blocks of the four stages: (2, 4, 14, 1) are A networks, (4, 6, 16, 1) B networks.
        widths: multipliers of the stages' 64, 128, 256 and 512 channels.
        groups: of every second block's convolutions (the 4 in "b1g4").
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem (1/2 of the size), 1 to 4 are the stages (1/4, 1/8,
            1/16, 1/32).

    Raises:
        ValueError: not four depths and widths, or a feature index that does not exist.
    """
    if len(depths) != 4 or len(widths) != 4:
        raise ValueError(f"repvgg has four stages: depths={depths}, widths={widths}")
    indices = check_out_indices(out_indices, 5) if features_only else None
    return RepVGG(depths, widths, groups, num_classes, in_channels, indices)
