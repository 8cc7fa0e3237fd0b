"""The gradient of depthwise convolutions as a forward convolution, which a CPU computes quicker.

MindSpore leaves convolutions to oneDNN in plain NCHW, where the gradient for the input of a
depthwise convolution takes about twice as long as the convolution itself. With stride 1 and an
output of the input's size, that gradient is a convolution too: of the output's gradient, with each
filter turned by 180 degrees.
"""

from __future__ import annotations

import mindspore as ms
from mindspore import Tensor, nn, ops


class _Plain(nn.Cell):
    """The operator as a cell: MindSpore differentiates functions and cells only."""

    def __init__(self, operator: ops.Conv2D) -> None:
        super().__init__(auto_prefix=False)
        self.operator = operator

    def construct(self, x: Tensor, weight: Tensor) -> Tensor:
        return self.operator(x, weight)


class _Turned(nn.Cell):
    """The operator with the gradient for its input computed by the operator itself."""

    def __init__(self, operator: ops.Conv2D) -> None:
        super().__init__(auto_prefix=False)
        self.operator, self.plain = operator, _Plain(operator)
        self.gradients = ops.GradOperation(get_all=True, sens_param=True)

    def construct(self, x: Tensor, weight: Tensor) -> Tensor:
        return self.operator(x, weight)

    def bprop(self, x: Tensor, weight: Tensor, out: Tensor, dout: Tensor) -> tuple[Tensor, Tensor]:
        # The plain gradient for x is not used, and so not computed: it falls out of the graph.
        return (
            self.operator(dout, ops.reverse(weight, (2, 3))),
            self.gradients(self.plain)(x, weight, dout)[1],
        )


class DepthwiseConv2d(nn.Conv2d):
    """An `nn.Conv2d` in training: (B, C, H, W) -> the same shape."""

    turned: nn.Cell

    def construct(self, x: Tensor) -> Tensor:
        """See the class."""
        output = self.turned(x, self.weight)
        return self.bias_add(output, self.bias) if self.has_bias else output


class DepthwiseConvolutions:
    """Gives the depthwise convolutions of a network the quicker gradient, and takes it back.

    Only where it is one: in graph mode on a CPU. The cells stay who they are, with their parameters
    and names.
    """

    def __init__(self, net: nn.Cell) -> None:
        here = (ms.get_context("device_target"), ms.get_context("mode"))
        self._cells = [
            (cell, type(cell))
            for _, cell in net.cells_and_names()
            if here == ("CPU", ms.GRAPH_MODE) and is_even_depthwise(cell)
        ]
        for cell, _ in self._cells:
            cell.__class__ = DepthwiseConv2d
            cell.turned = _Turned(cell.conv2d)

    def __len__(self) -> int:
        return len(self._cells)

    def restore(self) -> None:
        """Give the cells their own class back."""
        for cell, kind in self._cells:
            del cell.turned
            cell.__class__ = kind
        self._cells = []


def is_even_depthwise(cell: nn.Cell) -> bool:
    """Whether `cell` convolves each channel by itself, and each step of the output is one of the
    input, with as much padding on all sides."""
    if not isinstance(cell, nn.Conv2d) or cell.data_format != "NCHW":
        return False
    if not cell.group == cell.in_channels == cell.out_channels or cell.group == 1:
        return False
    if set(cell.stride) != {1} or any(side % 2 == 0 for side in cell.kernel_size):
        return False
    if cell.pad_mode == "same":
        return True
    sides = zip(cell.kernel_size, cell.dilation, strict=True)
    height, width = (dilation * (side - 1) // 2 for side, dilation in sides)
    padding = cell.padding if isinstance(cell.padding, tuple) else (cell.padding,) * 4
    return cell.pad_mode == "pad" and tuple(padding) == (height, height, width, width)
