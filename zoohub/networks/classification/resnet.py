"""ResNet-18 to ResNet-152.

Source: He et al., "Deep Residual Learning for Image Recognition" (2015), with the stride in the
3×3 convolution ("v1.5"). Parameter names are those of mindcv. The MindSpore models repository
trained the same networks with other padding and epsilons: `conv_padding`, `pool_padding`,
`bn_eps` and `outer_bn_eps` make its checkpoints' computation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeUniform

from zoohub.networks.layers.conv import Padding, conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool, ZeroPadMaxPool

_BLOCKS_PER_STAGE = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


@dataclass(frozen=True, slots=True)
class _Numerics:
    """Where publishers differ though the parameters have the same shapes."""

    conv_padding: Padding
    pool_padding: Padding
    bn_eps: float
    outer_bn_eps: float


def _shortcut(
    in_channels: int, out_channels: int, stride: int, numerics: _Numerics
) -> nn.Cell | None:
    """A 1×1 convolution where the block changes the shape, None where it does not."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.SequentialCell(
        [
            conv2d(in_channels, out_channels, 1, stride, numerics.conv_padding),
            BatchNorm2d(out_channels, eps=numerics.outer_bn_eps),
        ]
    )


class BasicBlock(nn.Cell):
    """Two 3×3 convolutions: (B, in_channels, H, W) -> (B, channels, H / stride, W / stride)."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int, numerics: _Numerics) -> None:
        super().__init__()
        self.conv1 = conv2d(in_channels, channels, 3, stride, numerics.conv_padding)
        self.bn1 = BatchNorm2d(channels, eps=numerics.bn_eps)
        self.conv2 = conv2d(channels, channels, 3, 1, numerics.conv_padding)
        self.bn2 = BatchNorm2d(channels, eps=numerics.bn_eps)
        self.down_sample = _shortcut(in_channels, channels, stride, numerics)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        shortcut = x if self.down_sample is None else self.down_sample(x)
        return ops.relu(y + shortcut)


class BottleneckBlock(nn.Cell):
    """1×1, 3×3, 1×1: (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride)."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int, numerics: _Numerics) -> None:
        super().__init__()
        out_channels = self.expansion * channels
        self.conv1 = conv2d(in_channels, channels, 1)
        self.bn1 = BatchNorm2d(channels, eps=numerics.bn_eps)
        self.conv2 = conv2d(channels, channels, 3, stride, numerics.conv_padding)
        self.bn2 = BatchNorm2d(channels, eps=numerics.bn_eps)
        self.conv3 = conv2d(channels, out_channels, 1)
        self.bn3 = BatchNorm2d(out_channels, eps=numerics.bn_eps)
        self.down_sample = _shortcut(in_channels, out_channels, stride, numerics)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = ops.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        shortcut = x if self.down_sample is None else self.down_sample(x)
        return ops.relu(y + shortcut)


class ResNet(nn.Cell):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        block: type[BasicBlock] | type[BottleneckBlock],
        blocks_per_stage: Sequence[int],
        num_classes: int,
        in_channels: int,
        numerics: _Numerics,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.out_indices = out_indices
        self.conv1 = conv2d(in_channels, 64, 7, 2, numerics.conv_padding)
        self.bn1 = BatchNorm2d(64, eps=numerics.outer_bn_eps)
        self.max_pool = (
            nn.MaxPool2d(3, 2, pad_mode="same")
            if numerics.pool_padding == "same"
            else ZeroPadMaxPool()
        )
        width = 64
        stages = []
        for index, repeats in enumerate(blocks_per_stage):
            channels, stride = 64 * 2**index, 1 if index == 0 else 2
            blocks = [block(width, channels, stride, numerics)]
            width = channels * block.expansion
            blocks += [block(width, channels, 1, numerics) for _ in range(1, repeats)]
            stages.append(nn.SequentialCell(blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        if out_indices is None:
            self.pool = GlobalAvgPool()
            init = HeUniform(mode="fan_in", nonlinearity="sigmoid")
            self.classifier = nn.Dense(width, num_classes, weight_init=init)

    def construct(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        stem = ops.relu(self.bn1(self.conv1(x)))
        stage1 = self.layer1(self.max_pool(stem))
        stage2 = self.layer2(stage1)
        stage3 = self.layer3(stage2)
        stage4 = self.layer4(stage3)
        if self.out_indices is None:
            return self.classifier(self.pool(stage4))
        maps = (stem, stage1, stage2, stage3, stage4)
        chosen: tuple[Tensor, ...] = ()
        for index in self.out_indices:
            chosen = (*chosen, maps[index])
        return chosen


def resnet(
    depth: int = 50,
    num_classes: int = 1000,
    in_channels: int = 3,
    conv_padding: Padding = "symmetric",
    pool_padding: Padding = "same",
    bn_eps: float = 1e-5,
    outer_bn_eps: float | None = None,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> ResNet:
    """ResNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 18, 34, 50, 101 or 152.
        num_classes: outputs of the classifier.
        in_channels: channels of the picture.
        conv_padding: of convolutions with stride 2: "symmetric" (mindcv) or "same".
        pool_padding: of the stem's max pooling: "same" (mindcv) or "symmetric".
        bn_eps: epsilon of the batch norms on the residual branches.
        outer_bn_eps: epsilon of the stem's and the shortcuts' batch norms; None takes `bn_eps`.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32).

    Raises:
        ValueError: an unknown depth, padding or feature index.
    """
    if depth not in _BLOCKS_PER_STAGE:
        raise ValueError(f"resnet has depths {sorted(_BLOCKS_PER_STAGE)}, not {depth}")
    for argument, padding in (("conv_padding", conv_padding), ("pool_padding", pool_padding)):
        if padding not in ("symmetric", "same"):
            raise ValueError(f'{argument} is "symmetric" or "same", not {padding!r}')
    numerics = _Numerics(
        conv_padding, pool_padding, bn_eps, bn_eps if outer_bn_eps is None else outer_bn_eps
    )
    return ResNet(
        BasicBlock if depth < 50 else BottleneckBlock,
        _BLOCKS_PER_STAGE[depth],
        num_classes,
        in_channels,
        numerics,
        check_out_indices(out_indices, 5) if features_only else None,
    )
