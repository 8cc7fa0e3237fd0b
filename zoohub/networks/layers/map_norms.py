"""Norms of feature maps (B, C, H, W) that are not taken over the batch."""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore import dtype as mstype
from mindspore.common.initializer import initializer


class ChannelNorm(nn.Cell):
    """Layer norm over the channels of each place: (B, C, H, W) -> the same shape."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.gamma = Parameter(initializer("ones", (channels,)), name="gamma")
        self.beta = Parameter(initializer("zeros", (channels,)), name="beta")
        self.normalise = ops.LayerNorm(-1, -1, eps)

    def construct(self, x: Tensor) -> Tensor:
        y = self.normalise(ops.transpose(x, (0, 2, 3, 1)), self.gamma, self.beta)[0]
        return ops.transpose(y, (0, 3, 1, 2))


class PictureNorm(nn.Cell):
    """Each picture brought to mean 0 and variance 1, then each channel scaled and shifted.

    (B, C, H, W) -> the same shape. Group norm of one group.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.gamma = Parameter(initializer("ones", (channels,)), name="gamma")
        self.beta = Parameter(initializer("zeros", (channels,)), name="beta")

    def construct(self, x: Tensor) -> Tensor:
        batch, channels = x.shape[:2]
        y = ops.cast(x, mstype.float32)  # of half the squares have no room
        centred = ops.reshape(y, (batch, -1)) - self.mean(y)
        variance = self.mean(ops.square(ops.reshape(centred, x.shape)))
        scale = ops.reshape(ops.rsqrt(variance + self.eps) * self.gamma, (batch, channels, 1, 1))
        y = ops.reshape(centred, x.shape) * scale + ops.reshape(self.beta, (-1, 1, 1))
        return ops.cast(y, x.dtype)

    def mean(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, 1). An axis at a time: on a CPU three at once take twice as long, and
        one of their length loses digits."""
        batch, channels = x.shape[:2]
        each = ops.mean(ops.reshape(x, (batch * channels, -1)), 1)
        return ops.mean(ops.reshape(each, (batch, channels)), 1, True)
