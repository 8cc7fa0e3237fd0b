"""The pyramid that a search found: NAS-FPN's seven cells, repeated.

Source: Ghiasi et al., "NAS-FPN: Learning Scalable Feature Pyramid Architecture for Object
Detection" (2019), in the form of the models repository (research/cv/nas-fpn).
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d, conv_norm
from zoohub.networks.layers.corner_resize import RepeatPixels
from zoohub.networks.layers.norm import BatchNorm2d

_CHANNELS = 256
_STAGES = 7


class Attended(nn.Cell):
    """A coarse and a fine map of one size -> the fine one and as much of the coarse as its mean
    in each channel lets through."""

    def construct(self, coarse: Tensor, fine: Tensor) -> Tensor:
        return fine + ops.sigmoid(ops.mean(fine, (2, 3), True)) * coarse


def merged_conv() -> nn.SequentialCell:
    """What follows a merge: ReLU, 3×3 convolution, batch norm."""
    return nn.SequentialCell([nn.ReLU(), conv2d(_CHANNELS, _CHANNELS, 3), BatchNorm2d(_CHANNELS)])


class Stage(nn.Cell):
    """Five maps from 1/8 to 1/128 -> the same, each having seen the others."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.CellList([merged_conv() for _ in range(7)])
        self.attended = Attended()
        self.grown = RepeatPixels()
        self.halved = nn.MaxPool2d(2, 2, pad_mode="same")
        self.quartered = nn.MaxPool2d(4, 4, pad_mode="same")
        self.eighth = nn.MaxPool2d(8, 8, pad_mode="same")

    def construct(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        p3, p4, p5, p6, p7 = maps
        first = self.convs[0](self.attended(self.grown(p6, p4), p4))
        middle = self.convs[1](first + p4)
        p3 = self.convs[2](self.grown(middle, p3) + p3)
        p4 = self.convs[3](self.halved(p3) + middle)
        p5 = self.convs[4](p5 + self.attended(self.halved(p4), self.quartered(p3)))
        p7 = self.convs[5](p7 + self.attended(self.quartered(p5), self.eighth(middle)))
        p6 = self.convs[6](self.attended(self.grown(p7, p6), self.halved(p5)))
        return p3, p4, p5, p6, p7


class NasPyramid(nn.Cell):
    """(B, in_channels, H, W), multiples of 128 -> five maps from 1/8 to 1/128, of 256 channels."""

    def __init__(self, backbone: nn.Cell, widths: tuple[int, int, int]) -> None:
        super().__init__()
        self.backbone = backbone

        def flat(channels: int) -> nn.SequentialCell:
            return nn.SequentialCell(conv_norm(channels, _CHANNELS, 1, act=None))

        self.lateral_convs = nn.CellList([flat(width) for width in widths])
        self.extra_downsamples = nn.CellList(
            [
                nn.SequentialCell([flat(_CHANNELS), nn.MaxPool2d(2, 2, pad_mode="same")])
                for _ in range(2)
            ]
        )
        self.fpn_stages = nn.CellList([Stage() for _ in range(_STAGES)])

    def construct(self, x: Tensor) -> tuple[Tensor, ...]:
        maps: tuple[Tensor, ...] = ()
        found = self.backbone(x)
        for level, lateral in enumerate(self.lateral_convs):
            maps = (*maps, lateral(found[level]))
        for down in self.extra_downsamples:
            maps = (*maps, down(maps[-1]))
        for stage in self.fpn_stages:
            maps = stage(maps)
        return maps
