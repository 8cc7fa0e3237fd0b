"""Attention over what came before, under the names `q_proj`, `k_proj`, `v_proj`."""

from __future__ import annotations

from mindspore import Tensor, nn

from zoohub.networks.layers.attention import merge_heads, split_heads
from zoohub.networks.layers.causal import Memory, attend_past, recalled
from zoohub.networks.layers.dense import dense


class ProjectedAttention(nn.Cell):
    """asking (B, L, C), seen (B, L, C) -> (B, L, C) before the last projection, which publishers
    name differently."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.k_proj = dense(channels, channels)
        self.v_proj = dense(channels, channels)
        self.q_proj = dense(channels, channels)
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5

    def attend(
        self, asking: Tensor, seen: Tensor, hidden: Tensor, past: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        """What each token finds among those before it; keys and values."""
        query = split_heads(self.q_proj(asking), self.num_heads)
        key = split_heads(self.k_proj(seen), self.num_heads)
        value = split_heads(self.v_proj(seen), self.num_heads)
        keys, values = recalled(key, value, past)
        found = attend_past(query, keys, values, self.scale, hidden)
        return merge_heads(found), (key, value)
