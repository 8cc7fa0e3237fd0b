"""A dense layer whose weight lies the other way round, as some transformers publish it."""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Normal, initializer


class TransposedDense(nn.Cell):
    """x · weight + bias over the last axis, `weight` (in_channels, out_channels)."""

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True) -> None:
        super().__init__()
        self.weight = Parameter(initializer(Normal(0.02), (in_channels, out_channels)))
        self.biased = bias
        if bias:
            self.bias = Parameter(initializer("zeros", (out_channels,)))

    def construct(self, x: Tensor) -> Tensor:
        x = ops.matmul(x, self.weight)
        return x + self.bias if self.biased else x
