"""Dense layers and layer norms as transformers use them."""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import TruncatedNormal, initializer


def dense(in_channels: int, out_channels: int, bias: bool = True, std: float = 0.02) -> nn.Dense:
    """A dense layer that starts at a truncated normal distribution of `std` and no bias."""
    return nn.Dense(
        in_channels,
        out_channels,
        weight_init=TruncatedNormal(std),
        bias_init="zeros",
        has_bias=bias,
    )


def layer_norm(channels: int, eps: float) -> nn.LayerNorm:
    """Layer norm over the last axis, of `channels`.

    The epsilon has no default: publishers differ in it, and a wrong one hardly shows.
    """
    return nn.LayerNorm((channels,), epsilon=eps)


class TurnedDense(nn.Cell):
    """A dense layer whose weight is (in_channels, out_channels): (…, in) -> (…, out)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.weight = Parameter(initializer(TruncatedNormal(0.02), (in_channels, out_channels)))
        self.bias = Parameter(initializer("zeros", (out_channels,)))

    def construct(self, x: Tensor) -> Tensor:
        return ops.matmul(x, self.weight) + self.bias
