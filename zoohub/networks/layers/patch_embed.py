"""Pictures to tokens and back."""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import HeUniform

from zoohub.networks.layers.dense import layer_norm


def to_tokens(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H·W, C)."""
    _, channels, height, width = x.shape
    return ops.transpose(ops.reshape(x, (-1, channels, height * width)), (0, 2, 1))


def to_map(x: Tensor, height: int, width: int) -> Tensor:
    """(B, height·width, C) -> (B, C, height, width)."""
    channels = x.shape[2]
    return ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, channels, height, width))


class PatchEmbed(nn.Cell):
    """A token for each square patch: (B, in_channels, H, W) -> (B, H·W / patch_size², channels).

    `norm_eps` is that of a layer norm after it; None leaves the norm out.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        patch_size: int,
        bias: bool = True,
        norm_eps: float | None = None,
    ) -> None:
        super().__init__()
        self.proj = nn.Conv2d(
            in_channels,
            channels,
            patch_size,
            patch_size,
            pad_mode="valid",
            has_bias=bias,
            weight_init=HeUniform(),
            bias_init="zeros",
        )
        self.norm = None if norm_eps is None else layer_norm(channels, norm_eps)

    def construct(self, x: Tensor) -> Tensor:
        tokens = to_tokens(self.proj(x))
        return tokens if self.norm is None else self.norm(tokens)


def prepend(token: Tensor, x: Tensor) -> Tensor:
    """`token` (1, K, C) before the tokens (B, N, C) of each picture: (B, K + N, C)."""
    return ops.concat((ops.tile(token, (x.shape[0], 1, 1)), x), 1)
