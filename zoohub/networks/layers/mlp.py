"""The two dense layers between which transformers widen, and 1×1 convolutions likewise."""

from __future__ import annotations

from mindspore import Tensor, nn
from mindspore.common.initializer import TruncatedNormal

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense


class Mlp(nn.Cell):
    """Dense, GELU, dense: (…, channels) -> (…, out_channels), which is `channels` unless given.

    `act` is the activation in GELU's place.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        out_channels: int | None = None,
        dropout: float = 0.0,
        exact_gelu: bool = False,
        last_bias: bool = True,
        act: nn.Cell | None = None,
    ) -> None:
        super().__init__()
        self.fc1 = dense(channels, hidden)
        self.act = gelu(exact_gelu) if act is None else act
        last = channels if out_channels is None else out_channels
        self.fc2 = dense(hidden, last, last_bias)
        self.drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        return self.drop(self.fc2(self.drop(self.act(self.fc1(x)))))


class ConvMlp(nn.Cell):
    """1×1 convolution, GELU, 1×1 convolution: (B, channels, H, W) -> (B, out_channels, H, W).

    `out_channels` is `channels` unless given.
    """

    def __init__(
        self,
        channels: int,
        hidden: int,
        out_channels: int | None = None,
        dropout: float = 0.0,
        exact_gelu: bool = False,
    ) -> None:
        super().__init__()
        init, last = TruncatedNormal(0.02), channels if out_channels is None else out_channels
        self.fc1 = conv2d(channels, hidden, 1, bias=True, weight_init=init)
        self.act = gelu(exact_gelu)
        self.fc2 = conv2d(hidden, last, 1, bias=True, weight_init=init)
        self.drop = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        return self.drop(self.fc2(self.drop(self.act(self.fc1(x)))))
