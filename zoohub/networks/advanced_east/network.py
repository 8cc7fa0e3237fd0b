"""AdvancedEAST: where text is in a picture, and at its ends where the corners are.

Source: after Zhou et al., "EAST" (2017), in the form of research/cv/advanced_east of the MindSpore
models repository as Ascend trains it, with group norms on VGG-16; parameter names are its own but
for the convolutions' on the way down.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.corner_resize import RepeatPixels

# Channels of each stage and its convolutions
_STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
_MERGED = (128, 64, 32)
_GROUPS_DOWN, _GROUPS_UP = 32, 16


def _normed(
    in_channels: int, out_channels: int, kernel: int, groups: int
) -> tuple[nn.Cell, nn.Cell, nn.Cell]:
    conv = conv2d(in_channels, out_channels, kernel, bias=True)
    return conv, nn.GroupNorm(groups, out_channels), nn.ReLU()


class AdvancedEAST(nn.Cell):
    """See `advanced_east`."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        width = in_channels
        stages = []
        for stage, (channels, count) in enumerate(_STAGES, start=1):
            cells: list[nn.Cell] = []
            for index in range(1, count + 1):
                conv = nn.SequentialCell(list(_normed(width, channels, 3, _GROUPS_DOWN)))
                setattr(self, f"conv{stage}_{index}", conv)
                cells.append(conv)
                width = channels
            stages.append(tuple(cells))
        self.stages = tuple(stages)
        self.halve = nn.MaxPool2d(2, 2)
        fine = [channels for channels, _ in _STAGES[1:4]][::-1]
        for place, (beside, channels) in enumerate(zip(fine, _MERGED, strict=True), start=1):
            narrow = _normed(width + beside, channels, 1, _GROUPS_UP)
            merge = nn.SequentialCell([*narrow, *_normed(channels, channels, 3, _GROUPS_UP)])
            setattr(self, f"merging{place}", merge)
            width = channels
        self.last_bn = nn.GroupNorm(_GROUPS_UP, width)
        self.conv_last = conv2d(width, width, 3, bias=True)
        self.inside_score_conv = conv2d(width, 1, 1, bias=True)
        self.side_v_angle_conv = conv2d(width, 2, 1, bias=True)
        self.repeat = RepeatPixels()
        self.side_v_coord_conv = conv2d(width, 4, 1, bias=True)

    def construct(self, x: Tensor) -> Tensor:
        maps: tuple[Tensor, ...] = ()
        for stage in self.stages:
            for conv in stage:
                x = conv(x)
            x = self.halve(x)
            maps = (*maps, x)
        x = self.merging1(self.beside(x, maps[3]))
        x = self.merging2(self.beside(x, maps[2]))
        x = self.merging3(self.beside(x, maps[1]))
        x = ops.relu(self.last_bn(self.conv_last(x)))
        score, corners = self.inside_score_conv(x), self.side_v_coord_conv(x)
        return ops.concat((score, corners, self.side_v_angle_conv(x)), 1)

    def beside(self, coarse: Tensor, fine: Tensor) -> Tensor:
        """A map at a finer one's size, joined with it."""
        return ops.concat((self.repeat(coarse, fine), fine), 1)


def advanced_east(in_channels: int = 3) -> AdvancedEAST:
    """AdvancedEAST: float32 (B, in_channels, H, W) -> (B, 7, H / 4, W / 4).

    The channels are the logit of being inside of text, and the six of its ends, in the order in
    which the publisher joins them: those of his `side_v_coord_conv` (4), then those of his
    `side_v_angle_conv` (2). H and W are multiples of 32.

    Args:
        in_channels: channels of the picture.
    """
    return AdvancedEAST(in_channels)
