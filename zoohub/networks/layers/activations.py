"""Activations of operators that zoohub's own ONNX writer knows."""

from __future__ import annotations

import math

import mindspore as ms
from mindspore import Tensor, nn, ops

from zoohub.networks.layers.cell import Cell

HARD_SIGMOID_SLOPE = 1 / 6


class Ramp(Cell):
    """0.5 + slope · x, cut off at 0 and 1: a hard sigmoid of another slope."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = slope

    def construct(self, x: Tensor) -> Tensor:
        return ops.clamp(0.5 + self.slope * x, 0.0, 1.0)


class HardSigmoid(Cell):
    """relu6(x + 3) / 6, by one operator: put together of three, it takes twice as long on a CPU."""

    def construct(self, x: Tensor) -> Tensor:
        return ops.hardsigmoid(x)


class HardSwish(Cell):
    """x · relu6(x + 3) / 6, by one operator: put together of four, it takes three times as long."""

    def construct(self, x: Tensor) -> Tensor:
        return ops.hardswish(x)


class TanhGELU(Cell):
    """x · (1 + tanh(z)) / 2 with z = sqrt(2/π) · (x + 0.044715 x³), written as x · sigmoid(2z).

    On a CPU the operators that this takes are vectorised, and MindSpore's one operator is not: of
    4.8 million numbers its 159 ms of processor time become 34, with the gradient 268 become 84.
    Both are as near to the exact value.
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear = 2 * math.sqrt(2 / math.pi)
        self.cubic = self.linear * 0.044715

    def construct(self, x: Tensor) -> Tensor:
        return x * ops.sigmoid(x * (self.linear + self.cubic * (x * x)))


def gelu(exact: bool) -> nn.Cell:
    """GELU, by the error function where `exact`, else by its approximation with tanh.

    The two differ by up to 5e-4, which shows in the logits. Accelerators have an operator for it.
    """
    if exact or ms.get_context("device_target") != "CPU":
        return nn.GELU(approximate=not exact)
    return TanhGELU()


class FastGELU(Cell):
    """x · sigmoid(1.702 x), which accelerators compute for GELU."""

    def construct(self, x: Tensor) -> Tensor:
        return x * ops.sigmoid(1.702 * x)


def activation(name: str) -> nn.Cell:
    """The activation called `gelu` (by the error function), `gelu_tanh` (its approximation),
    `fast_gelu` or `relu`.

    Raises:
        ValueError: none is called so.
    """
    if name == "gelu":
        return gelu(exact=True)
    if name == "gelu_tanh":
        return gelu(exact=False)
    if name == "fast_gelu":
        return FastGELU()
    if name == "relu":
        return nn.ReLU()
    raise ValueError(f"an activation is gelu, gelu_tanh, fast_gelu or relu, not {name!r}")
