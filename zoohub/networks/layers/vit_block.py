"""The block of vision transformers.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021). Parameter names are those of
mindcv and timm.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn
from mindspore.common.initializer import initializer

from zoohub.networks.layers.attention import Attention
from zoohub.networks.layers.dense import layer_norm
from zoohub.networks.layers.drop_path import DropPath
from zoohub.networks.layers.mlp import Mlp


class ViTBlock(nn.Cell):
    """Attention, then an MLP, each after a layer norm and added: (B, N, C) -> the same shape.

    `attention` takes the place of the usual one. `layer_scale` is what each branch's learnt
    factors `gamma_1` and `gamma_2` start at; None leaves them out.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        mlp_ratio: float,
        norm_eps: float,
        exact_gelu: bool = False,
        qkv_bias: bool = True,
        dropout: float = 0.0,
        drop_path: float = 0.0,
        attention: nn.Cell | None = None,
        layer_scale: float | None = None,
    ) -> None:
        super().__init__()
        self.scales = layer_scale is not None
        if layer_scale is not None:
            self.gamma_1 = Parameter(initializer(layer_scale, (channels,)))
            self.gamma_2 = Parameter(initializer(layer_scale, (channels,)))
        self.norm1 = layer_norm(channels, norm_eps)
        if attention is None:
            attention = Attention(channels, num_heads, qkv_bias, dropout=dropout)
        self.attn = attention
        self.norm2 = layer_norm(channels, norm_eps)
        hidden = int(channels * mlp_ratio)
        self.mlp = Mlp(channels, hidden, dropout=dropout, exact_gelu=exact_gelu)
        self.drop_path = DropPath(drop_path)

    def construct(self, x: Tensor) -> Tensor:
        y = self.attn(self.norm1(x))
        x = x + self.drop_path(y * self.gamma_1 if self.scales else y)
        y = self.mlp(self.norm2(x))
        return x + self.drop_path(y * self.gamma_2 if self.scales else y)
