"""Convolutions, alone and with the batch norm and activation that follow them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeNormal, Initializer, Uniform

from zoohub.networks.layers.cell import Cell, another, fill, start
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.operators import shared
from zoohub.networks.layers.parameter import new_parameter

Padding = Literal["symmetric", "same"]
Activation: TypeAlias = "Callable[[], nn.Cell] | None"
Pad: TypeAlias = "int | tuple[int, int, int, int]"


def check_padding(padding: str) -> None:
    """Refuse what is neither of the two rules.

    Raises:
        ValueError: for an argument of a builder that should be one.
    """
    if padding not in ("symmetric", "same"):
        raise ValueError(f'a padding is "symmetric" or "same", not {padding!r}')


def new_conv2d(
    in_channels: int,
    out_channels: int,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    pad_mode: str = "same",
    padding: Pad = 0,
    dilation: int | tuple[int, int] = 1,
    group: int = 1,
    has_bias: bool = False,
    weight_init: Initializer | str = "he_uniform",
) -> nn.Conv2d:
    """An `nn.Conv2d` made in a third of the time: (B, in_channels, H, W) -> (B, out_channels, …).

    Its constructor checks what operator and parameters check again, makes an operator of its own
    and writes its arguments down as text; here it is passed by. The cell is MindSpore's own, as
    training, mixed precision and export expect it. A bias is drawn as there: uniformly, up to the
    root of the inputs' inverse number.

    Raises:
        ValueError: `group` does not divide both channels; and as `ops.Conv2D`.
    """
    if group < 1 or in_channels % group or out_channels % group:
        raise ValueError(f"{in_channels} and {out_channels} channels make no {group} groups")
    kernel_size, stride, dilations = _pair(kernel_size), _pair(stride), _pair(dilation)
    shape = (out_channels, in_channels // group, *kernel_size)
    cell = nn.Conv2d.__new__(nn.Conv2d)
    start(cell)
    cell.__dict__.update(  # what is neither parameter nor operator needs no __setattr__
        in_channels=in_channels,
        out_channels=out_channels,
        kernel_size=kernel_size,
        stride=stride,
        pad_mode=pad_mode,
        padding=padding,
        dilation=dilations,
        _dilation=dilation,
        group=group,
        has_bias=has_bias,
        data_format="NCHW",
        weight_init=weight_init,
        bias_init=Uniform(math.prod(shape[1:]) ** -0.5) if has_bias else None,
    )
    convolution = shared(
        ops.Conv2D,
        out_channel=out_channels,
        kernel_size=kernel_size,
        pad_mode=pad_mode,
        pad=padding,
        stride=_one(stride),
        dilation=_one(dilations),
        group=group,
    )
    parameters = {"weight": new_parameter(weight_init, shape, "weight")}
    if has_bias:
        parameters["bias"] = new_parameter(cell.bias_init, (out_channels,), "bias")
    else:
        cell.__dict__["bias"] = None
    fill(cell, parameters, {"conv2d": convolution, "bias_add": shared(ops.BiasAdd)})
    return cell


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _one(size: tuple[int, int]) -> int | tuple[int, int]:
    """What the operator makes the same of in less time: it keeps four numbers of either."""
    return size[0] if size[0] == size[1] else size


def conv2d(
    in_channels: int,
    out_channels: int,
    kernel: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: Padding | int = "symmetric",
    groups: int = 1,
    bias: bool = False,
    weight_init: Initializer | str | None = None,
    dilation: int = 1,
) -> nn.Conv2d:
    """A convolution whose output is the input's size divided by `stride`.

    `kernel` is its height and width, one number where it is square, and `stride` likewise.

    `padding` says where the zeros go: "symmetric" puts `kernel // 2` times `dilation` on every
    side, "same" (the rule of TensorFlow) as few as needed and the odd one below and to the right,
    so that the two differ where `stride` is 2; a number is that many on every side. `weight_init`
    is He's normal distribution over the outputs unless given. `dilation` is the distance between
    the pixels that the kernel sees.
    """
    init = HeNormal(mode="fan_out", nonlinearity="relu") if weight_init is None else weight_init
    pad: Pad
    if padding == "same":
        pad_mode, pad = "same", 0
    elif padding == "symmetric":
        rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
        above, left = dilation * (rows // 2), dilation * (columns // 2)
        pad_mode, pad = "pad", (above, above, left, left)
    else:
        pad_mode, pad = "pad", padding
    return new_conv2d(
        in_channels,
        out_channels,
        kernel,
        stride,
        pad_mode=pad_mode,
        padding=pad,
        dilation=dilation,
        group=groups,
        has_bias=bias,
        weight_init=init,
    )


def conv_norm(
    in_channels: int,
    out_channels: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    padding: Padding | int = "symmetric",
    groups: int = 1,
    bias: bool = False,
    act: Callable[[], nn.Cell] | None = nn.ReLU,
    eps: float = 1e-5,
    momentum: float = 0.9,
) -> list[nn.Cell]:
    """Convolution, batch norm and activation as a list, for networks that number their layers.

    `act` makes the activation; None leaves it out. The other arguments are `conv2d`'s and
    `BatchNorm2d`'s.
    """
    conv = conv2d(in_channels, out_channels, kernel, stride, padding, groups, bias)
    norm = BatchNorm2d(out_channels, eps, momentum)
    return [conv, norm] if act is None else [conv, norm, another(act)]


class ConvNormFeatures(Cell):
    """What `conv_norm` lists, one after another, with the names `features.0` and so on.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int | tuple[int, int] = 1,
        stride: int = 1,
        padding: Padding | int = "symmetric",
        groups: int = 1,
        act: Callable[[], nn.Cell] | None = nn.ReLU,
    ) -> None:
        super().__init__()
        layers = conv_norm(in_channels, out_channels, kernel, stride, padding, groups, act=act)
        self.features = nn.SequentialCell(layers)

    def construct(self, x: Tensor) -> Tensor:
        return self.features(x)


class ConvNormAct(Cell):
    """Convolution, batch norm, SiLU: the brick of the YOLO family.

    (B, in_channels, H, W) -> (B, out_channels, H / stride, W / stride). Batch norm has the
    family's epsilon of 1e-3 and keeps 0.97 of its moving statistics a step. `act` makes another
    activation; None leaves it out.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 1,
        stride: int = 1,
        padding: Padding | int = "symmetric",
        groups: int = 1,
        act: Activation = nn.SiLU,
    ) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, out_channels, kernel, stride, padding, groups)
        self.bn = BatchNorm2d(out_channels, eps=1e-3, momentum=0.97)
        self.act = None if act is None else act()

    def construct(self, x: Tensor) -> Tensor:
        y = self.bn(self.conv(x))
        return y if self.act is None else self.act(y)
