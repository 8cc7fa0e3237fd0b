"""ManiDP: a small ResNet that switches off channels picture by picture.

Source: Tang et al., "Manifold Regularized Dynamic Network Pruning" (2021), as the MindSpore models
repository publishes it (research/cv/ManiDP), whose parameter names these are.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.pooling import GlobalAvgPool

_WIDTHS = (16, 32, 64)
_MOST = 1000.0
_MASKS = 2  # of a block


class Mask(nn.Cell):
    """(B, in_channels, H, W) -> what each channel of the next map counts, (B, channels, 1, 1):
    nothing up to `threshold`."""

    def __init__(self, in_channels: int, channels: int, threshold: float) -> None:
        super().__init__()
        self.fc1 = nn.Dense(in_channels, channels, has_bias=False)
        self.fc2 = nn.Dense(channels, channels)
        self.threshold = threshold

    def construct(self, x: Tensor) -> Tensor:
        weights = self.fc2(ops.relu(self.fc1(ops.mean(x, (2, 3)))))
        weights = ops.clamp(weights, 0.0, _MOST)
        kept = weights * (weights > self.threshold).astype(mstype.float32)
        return ops.expand_dims(ops.expand_dims(kept, -1), -1)


class Block(nn.Cell):
    """Two 3×3 convolutions, each masked: (B, in_channels, H, W) -> (B, channels, H / s, W / s)."""

    def __init__(
        self, in_channels: int, channels: int, stride: int, thresholds: Sequence[float]
    ) -> None:
        super().__init__()
        self.conv_a = conv2d(in_channels, channels, 3, stride)
        self.bn_a = BatchNorm2d(channels)
        self.conv_b = conv2d(channels, channels, 3)
        self.bn_b = BatchNorm2d(channels)
        fitted = stride > 1 or in_channels != channels
        self.downsample = (
            nn.SequentialCell([conv2d(in_channels, channels, 1, stride, "same")])
            if fitted
            else nn.Identity()
        )
        self.mb1 = Mask(in_channels, channels, thresholds[0])
        self.mb2 = Mask(channels, channels, thresholds[1])

    def construct(self, x: Tensor) -> Tensor:
        y = ops.relu(self.bn_a(self.conv_a(x))) * self.mb1(x)
        y = self.bn_b(self.conv_b(y)) * self.mb2(y)
        return ops.relu(self.downsample(x) + y)


class ManiDP(nn.Cell):
    """See `manidp`."""

    def __init__(
        self, depth: int, num_classes: int, thresholds: Sequence[float], in_channels: int
    ) -> None:
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv_1_3x3 = conv2d(in_channels, _WIDTHS[0], 3)
        self.bn_1 = BatchNorm2d(_WIDTHS[0])
        width, done = _WIDTHS[0], 0
        for stage, channels in enumerate(_WIDTHS, start=1):
            cells = []
            for index in range(blocks):
                stride = 2 if stage > 1 and index == 0 else 1
                own = thresholds[done : done + _MASKS]
                cells.append(Block(width, channels, stride, own))
                width, done = channels, done + _MASKS
            setattr(self, f"stage_{stage}", nn.SequentialCell(cells))
        self.pool = GlobalAvgPool()
        self.classifier = nn.Dense(width, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        x = ops.relu(self.bn_1(self.conv_1_3x3(x)))
        x = self.stage_3(self.stage_2(self.stage_1(x)))
        return self.classifier(self.pool(x))


def manidp(
    depth: int = 20,
    num_classes: int = 10,
    thresholds: Sequence[float] = (),
    in_channels: int = 3,
) -> ManiDP:
    """ManiDP's ResNet: float32 (B, in_channels, H, W) -> logits (B, num_classes).

    The publisher's pictures are 32×32 pixels.

    Args:
        depth: 6 n + 2 layers, for n blocks in each of three stages: 20 and 56 are the paper's.
        num_classes: outputs of the classifier.
        thresholds: how much a channel must count to be kept, two a block. None given: all 0, which
            leaves out nothing more. The publisher keeps its own apart from its weights
            (`thres.npy`, not published with them).
        in_channels: channels of the picture.

    Raises:
        ValueError: another depth, or another number of thresholds.
    """
    if depth < 8 or (depth - 2) % 6:
        raise ValueError(f"manidp has depths of 6 n + 2 layers, 8, 14, 20, …, not {depth}")
    masks = depth - 2
    known = tuple(float(threshold) for threshold in thresholds) or (0.0,) * masks
    if len(known) != masks:
        raise ValueError(f"manidp of depth {depth} has {masks} thresholds, not {len(known)}")
    return ManiDP(depth, num_classes, known, in_channels)
