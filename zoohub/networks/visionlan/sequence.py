"""VisionLAN's transformer. Shapes: B pictures, N places, C channels.

Source: Vaswani et al., "Attention Is All You Need" (2017). Parameter names are those of MindOCR.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops

from zoohub.networks.layers.attention import attend, merge_heads, split_heads
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.sinusoids import sinusoids

_HEADS = 8
_DROPOUT = 0.1
_EPS = 1e-7  # MindSpore's own
_LAST_EPS = 1e-6


class Places(nn.Cell):
    """(B, N, C) -> the same shape, each place told by sines and cosines."""

    def __init__(self, places: int, channels: int) -> None:
        super().__init__()
        table = Tensor(sinusoids(places, channels)[None])
        self.pos_table = Parameter(table, name="pos_table", requires_grad=False)

    def construct(self, x: Tensor) -> Tensor:
        return x + self.pos_table


class SelfAttention(nn.Cell):
    """(B, N, C) -> the same shape, added to the input and normalised."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.w_qs = dense(channels, channels)
        self.w_ks = dense(channels, channels)
        self.w_vs = dense(channels, channels)
        self.layer_norm = layer_norm(channels, _EPS)
        self.fc = dense(channels, channels)
        self.dropout = nn.Dropout(p=_DROPOUT)
        self.scale = (channels // _HEADS) ** -0.5

    def construct(self, x: Tensor) -> Tensor:
        query, key = split_heads(self.w_qs(x), _HEADS), split_heads(self.w_ks(x), _HEADS)
        value = split_heads(self.w_vs(x), _HEADS)
        found = merge_heads(attend(query, key, value, self.scale))
        return self.layer_norm(self.dropout(self.fc(found)) + x)


class FeedForward(nn.Cell):
    """Two layers on every place, added to the input and normalised: (B, N, C)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.w_1 = conv2d(channels, hidden, 1)
        self.w_2 = conv2d(hidden, channels, 1)
        self.layer_norm = layer_norm(channels, _EPS)
        self.dropout = nn.Dropout(p=_DROPOUT)

    def construct(self, x: Tensor) -> Tensor:
        y = ops.expand_dims(ops.transpose(x, (0, 2, 1)), -1)
        y = ops.squeeze(self.w_2(ops.relu(self.w_1(y))), -1)
        return self.layer_norm(self.dropout(ops.transpose(y, (0, 2, 1))) + x)


class Layer(nn.Cell):
    """Attention and two layers on every place: (B, N, C) -> the same shape."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = SelfAttention(channels)
        self.pos_ffn = FeedForward(channels, hidden)

    def construct(self, x: Tensor) -> Tensor:
        return self.pos_ffn(self.self_attn(x))


class Sequence(nn.Cell):
    """What the places see in each other: (B, N, C) -> the same shape."""

    def __init__(self, channels: int, hidden: int, depth: int, places: int) -> None:
        super().__init__()
        self.position_enc = Places(places, channels)
        self.dropout = nn.Dropout(p=_DROPOUT)
        self.layer_stack = nn.CellList([Layer(channels, hidden) for _ in range(depth)])
        self.layer_norm = layer_norm(channels, _LAST_EPS)

    def construct(self, x: Tensor) -> Tensor:
        x = self.dropout(self.position_enc(x))
        for layer in self.layer_stack:
            x = layer(x)
        return self.layer_norm(x)
