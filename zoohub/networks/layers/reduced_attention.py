"""Attention of all places to a coarser picture of them.

Source: Wang et al., "Pyramid Vision Transformer" (2021). Parameter names are those of mindcv.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.attention import attend, merge_heads, split_heads
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.patch_embed import to_map, to_tokens


class ReducedAttention(nn.Cell):
    """Keys and values come from a picture `reduction` times smaller each way.

    Tokens (B, N, C) and the height and width of their picture -> (B, N, C). With a `reduction` of
    1 the tokens may be more than the places (a class token). `norm_eps` is that of the norm after
    the reduction.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        reduction: int,
        norm_eps: float,
        qkv_bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.channels, self.num_heads, self.reduction = channels, num_heads, reduction
        self.scale = (channels // num_heads) ** -0.5
        self.q = dense(channels, channels, qkv_bias)
        self.kv = dense(channels, 2 * channels, qkv_bias)
        self.proj = dense(channels, channels)
        self.proj_drop = nn.Dropout(p=dropout)
        if reduction > 1:
            self.sr = conv2d(channels, channels, reduction, reduction, "same", bias=True)
            self.norm = layer_norm(channels, norm_eps)

    def construct(self, x: Tensor, height: int, width: int) -> Tensor:
        q = split_heads(self.q(x), self.num_heads)
        if self.reduction > 1:
            x = self.norm(to_tokens(self.sr(to_map(x, height, width))))
        k, v = ops.split(self.kv(x), self.channels, -1)
        k, v = split_heads(k, self.num_heads), split_heads(v, self.num_heads)
        return self.proj_drop(self.proj(merge_heads(attend(q, k, v, self.scale))))
