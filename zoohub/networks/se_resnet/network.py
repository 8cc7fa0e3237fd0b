"""SE-ResNet as the MindSpore models repository trained it.

Source: Hu et al., "Squeeze-and-Excitation Networks" (2018). `every_block` is research/cv/SE-Net:
ResNet with squeeze and excitation in all blocks. Without it, official/cv/resnet: a deep stem, max
pooling in place of strides, and squeeze and excitation at the end of the last two stages only.
Parameter names follow those of ResNet here.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.features import check_out_indices
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.residual import (
    Numerics,
    Place,
    ResidualNetwork,
    blocks_of,
    classifier,
    deep_stem,
    shortcut,
)
from zoohub.networks.layers.squeeze_excite import DenseSqueezeExcite

DEPTHS = (50, 101, 152)
_NUMERICS = Numerics("same", "same", 1e-4, 1e-4)
_EPS = 1e-4


def _halve() -> nn.MaxPool2d:
    return nn.MaxPool2d(2, 2, pad_mode="same")


class SEBlock(nn.Cell):
    """ResNet's bottleneck with weighted channels.

    (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride).
    """

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        out_channels = 4 * channels
        self.conv1 = conv2d(in_channels, channels, 1)
        self.bn1 = BatchNorm2d(channels, _EPS)
        self.conv2 = conv2d(channels, channels, 3, stride, "same")
        self.bn2 = BatchNorm2d(channels, _EPS)
        self.conv3 = conv2d(channels, out_channels, 1)
        self.bn3 = BatchNorm2d(out_channels, _EPS)
        self.down_sample = shortcut(in_channels, out_channels, stride, _NUMERICS)
        self.se_module = DenseSqueezeExcite(out_channels, out_channels // 4)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = ops.relu(self.bn2(self.conv2(y)))
        y = self.se_module(self.bn3(self.conv3(y)))
        return ops.relu(y + (x if self.down_sample is None else self.down_sample(x)))


class PoolingBlock(nn.Cell):
    """A bottleneck that pools where ResNet's has stride 2, in its branch and in its shortcut.

    (B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride).
    """

    def __init__(self, in_channels: int, channels: int, stride: int, squeeze: bool) -> None:
        super().__init__()
        out_channels, pools = 4 * channels, stride > 1
        self.conv1 = conv2d(in_channels, channels, 1)
        self.bn1 = BatchNorm2d(channels, _EPS)
        self.e2: nn.Cell | None = None
        if pools:
            cells = [conv2d(channels, channels, 3), BatchNorm2d(channels, _EPS), nn.ReLU()]
            self.e2 = nn.SequentialCell([*cells, _halve()])
        else:
            self.conv2 = conv2d(channels, channels, 3)
            self.bn2 = BatchNorm2d(channels, _EPS)
        self.conv3 = conv2d(channels, out_channels, 1)
        self.bn3 = BatchNorm2d(out_channels, _EPS)
        self.se_module = DenseSqueezeExcite(out_channels, out_channels // 4) if squeeze else None
        self.down_sample: nn.Cell | None = None
        if pools or in_channels != out_channels:
            cells = [conv2d(in_channels, out_channels, 1), BatchNorm2d(out_channels, _EPS)]
            self.down_sample = nn.SequentialCell([*([_halve()] if pools else []), *cells])

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn1(self.conv1(x)))
        y = ops.relu(self.bn2(self.conv2(y))) if self.e2 is None else self.e2(y)
        y = self.bn3(self.conv3(y))
        if self.se_module is not None:
            y = self.se_module(y)
        return ops.relu(y + (x if self.down_sample is None else self.down_sample(x)))


def _pooling_block(inputs: int, channels: int, stride: int, place: Place) -> nn.Cell:
    return PoolingBlock(inputs, channels, stride, place.last and place.stage >= 2)


class SEResNet(ResidualNetwork):
    """(B, in_channels, H, W) -> logits (B, num_classes), or the feature maps of `out_indices`."""

    def __init__(
        self,
        depth: int,
        every_block: bool,
        num_classes: int,
        in_channels: int,
        out_indices: tuple[int, ...] | None,
    ) -> None:
        super().__init__()
        self.conv1 = (
            conv2d(in_channels, 64, 7, 2, "same")
            if every_block
            else deep_stem(in_channels, 32, 64, "same", _EPS)
        )
        self.bn1 = BatchNorm2d(64, _EPS)
        self.max_pool = nn.MaxPool2d(3, 2, pad_mode="same")
        width = self.add_stages(
            (lambda inputs, channels, stride, place: SEBlock(inputs, channels, stride))
            if every_block
            else _pooling_block,
            blocks_of("se_resnet", depth, DEPTHS),
            64,
            out_indices,
        )
        if out_indices is None:
            self.classifier = classifier(width, num_classes)


def se_resnet(
    depth: int = 50,
    every_block: bool = False,
    num_classes: int = 1001,
    in_channels: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = (0, 1, 2, 3, 4),
) -> SEResNet:
    """SE-ResNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    Args:
        depth: 50, 101 or 152.
        every_block: plain ResNet with squeeze and excitation in all blocks, in place of the form
            with a deep stem, pooling, and two such blocks.
        num_classes: outputs of the classifier; published with 1001.
        in_channels: channels of the picture.
        features_only: leave out the classifier and return a tuple of feature maps.
        out_indices: which maps: 0 is the stem before pooling (1/2 of the size), 1 to 4 are the
            stages (1/4, 1/8, 1/16, 1/32).

    Raises:
        ValueError: an unknown depth or feature index.
    """
    indices = check_out_indices(out_indices, 5) if features_only else None
    return SEResNet(depth, every_block, num_classes, in_channels, indices)
