"""Convolutions, alone and with the batch norm and activation that follow them."""

from __future__ import annotations

from typing import Literal

from mindspore import Tensor, nn
from mindspore.common.initializer import HeNormal, Initializer

from zoohub.networks.layers.norm import BatchNorm2d

Padding = Literal["symmetric", "same"]


def conv2d(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    padding: Padding | int = "symmetric",
    groups: int = 1,
    bias: bool = False,
    weight_init: Initializer | None = None,
) -> nn.Conv2d:
    """A square convolution whose output is the input's size divided by `stride`.

    `padding` says where the zeros go: "symmetric" puts `kernel // 2` on every side, "same" (the
    rule of TensorFlow) as few as needed and the odd one below and to the right, so that the two
    differ where `stride` is 2; a number is that many on every side. `weight_init` is He's normal
    distribution over the outputs unless given.
    """
    init = HeNormal(mode="fan_out", nonlinearity="relu") if weight_init is None else weight_init
    if padding == "same":
        pad_mode, pad = "same", 0
    else:
        pad_mode, pad = "pad", kernel // 2 if padding == "symmetric" else padding
    return nn.Conv2d(
        in_channels,
        out_channels,
        kernel,
        stride,
        pad_mode=pad_mode,
        padding=pad,
        group=groups,
        has_bias=bias,
        weight_init=init,
    )


class ConvNormAct(nn.Cell):
    """Convolution, batch norm, SiLU: the brick of the YOLO family.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride). Batch norm has the
    family's epsilon of 1e-3 and keeps 0.97 of its moving statistics a step.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        padding: Padding | int = "symmetric",
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride, padding)
        self.bn = BatchNorm2d(out_channels, eps=1e-3, momentum=0.97)
        self.act = nn.SiLU()

    def construct(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))
