"""Root-mean-square norm.

Source: Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019).
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import initializer


class RMSNorm(nn.Cell):
    """x / sqrt(mean(x²) + eps) · weight over the last axis, of `channels`."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.weight = Parameter(initializer("ones", (channels,)))
        self.eps = eps

    def construct(self, x: Tensor) -> Tensor:
        return x * ops.rsqrt(ops.square(x).mean(-1, keep_dims=True) + self.eps) * self.weight
