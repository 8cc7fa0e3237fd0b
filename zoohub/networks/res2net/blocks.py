"""Res2Net's block: the 3×3 convolution in slices, each adding what the one before it found."""

from __future__ import annotations

from dataclasses import dataclass

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import Padding, conv2d
from zoohub.networks.layers.norm import BatchNorm2d, BatchStatistics
from zoohub.networks.layers.pooling import PaddedAvgPool
from zoohub.networks.layers.squeeze_excite import DenseSqueezeExcite


@dataclass(frozen=True, slots=True)
class Slices:
    """What the blocks of one network have in common.

    Attributes:
        base_width: channels of a slice in the first stage.
        scale: number of slices.
        pooled_shortcuts: shortcuts with stride 2 pool before their convolution ("v1b").
        zoo: numerics of the models repository: padding by TensorFlow's rule, batch norms with
            epsilon 1e-4, and max pooling where mindcv's shortcuts take the average.
        detecting: those of its detectors: as `zoo`, but mindcv's epsilon, its padding but for the
            stem, and a stem whose first two norms take the batch's statistics always.
    """

    base_width: int
    scale: int
    pooled_shortcuts: bool
    zoo: bool
    detecting: bool = False

    @property
    def padding(self) -> Padding:
        return "same" if self.zoo and not self.detecting else "symmetric"

    @property
    def stem_padding(self) -> Padding:
        return "same" if self.zoo else "symmetric"

    @property
    def stem_norm(self) -> type[BatchNorm2d]:
        return BatchStatistics if self.detecting else BatchNorm2d

    @property
    def eps(self) -> float:
        return 1e-4 if self.zoo and not self.detecting else 1e-5

    def shortcut(self, in_channels: int, out_channels: int, stride: int) -> nn.SequentialCell:
        """(B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride)."""
        norm = BatchNorm2d(out_channels, eps=self.eps)
        if stride == 1 or not self.pooled_shortcuts:
            conv = conv2d(in_channels, out_channels, 1, stride, self.padding)
            return nn.SequentialCell([conv, norm])
        pool = nn.MaxPool2d if self.zoo else nn.AvgPool2d
        conv = conv2d(in_channels, out_channels, 1)
        return nn.SequentialCell([pool(stride, stride, pad_mode="same"), conv, norm])


class Res2NetBlock(nn.Cell):
    """(B, in_channels, H, W) -> (B, 4 channels, H / stride, W / stride).

    The first block of a stage filters each slice by itself and pools the last one; the others add
    a slice's result to the next slice and hand the last one on as it is.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        first: bool,
        slices: Slices,
        squeeze: bool,
    ) -> None:
        super().__init__()
        width, out_channels = channels * slices.base_width // 64, 4 * channels
        total, eps = width * slices.scale, slices.eps
        self.width, self.first = width, first
        self.conv1 = conv2d(in_channels, total, 1)
        self.bn1 = BatchNorm2d(total, eps=eps)
        self.pool: nn.Cell | None = None
        if first:
            zoo = nn.AvgPool2d(3, stride, pad_mode="same")
            self.pool = zoo if slices.zoo else PaddedAvgPool(stride)
        count = range(slices.scale - 1)
        self.convs = nn.CellList([conv2d(width, width, 3, stride, slices.padding) for _ in count])
        self.bns = nn.CellList([BatchNorm2d(width, eps=eps) for _ in count])
        self.conv3 = conv2d(total, out_channels, 1)
        self.bn3 = BatchNorm2d(out_channels, eps=eps)
        self.se_module = DenseSqueezeExcite(out_channels, out_channels // 4) if squeeze else None
        changes = stride != 1 or in_channels != out_channels
        self.down_sample = slices.shortcut(in_channels, out_channels, stride) if changes else None

    def construct(self, x: Tensor) -> Tensor:
        slices = ops.split(ops.relu(self.bn1(self.conv1(x))), self.width, 1)
        found: tuple[Tensor, ...] = ()
        for index, conv in enumerate(self.convs):
            seen = slices[index]
            if not self.first and index > 0:
                seen = seen + found[index - 1]
            found = (*found, ops.relu(self.bns[index](conv(seen))))
        rest = slices[len(self.convs)]
        found = (*found, rest if self.pool is None else self.pool(rest))
        y = self.bn3(self.conv3(ops.concat(found, 1)))
        if self.se_module is not None:
            y = self.se_module(y)
        return ops.relu(y + (x if self.down_sample is None else self.down_sample(x)))
