"""The parts of MASTER's transformer. Shapes: B texts, N tokens that ask, M that are asked.

Source: Vaswani et al., "Attention Is All You Need" (2017). Parameter names are those of MindOCR.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.attention import attend, merge_heads, split_heads
from zoohub.networks.layers.dense import dense


class MultiHead(nn.Cell):
    """Asking (B, N, C), keys and values (B, H, M, D) -> (B, N, C).

    `bias` is added to the scores.
    """

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.linears = nn.CellList([dense(channels, channels) for _ in range(4)])
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5

    def remember(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, H, M, D) of what is asked (B, M, C)."""
        key = split_heads(self.linears[1](seen), self.num_heads)
        return key, split_heads(self.linears[2](seen), self.num_heads)

    def construct(
        self, asking: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None
    ) -> Tensor:
        query = split_heads(self.linears[0](asking), self.num_heads)
        return self.linears[3](merge_heads(attend(query, key, value, self.scale, bias)))


class FeedForward(nn.Cell):
    """Dense, ReLU, dense: (…, channels) -> the same shape."""

    def __init__(self, channels: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.w_1 = dense(channels, hidden)
        self.w_2 = dense(hidden, channels)
        self.dropout = nn.Dropout(p=dropout)

    def construct(self, x: Tensor) -> Tensor:
        return self.w_2(self.dropout(ops.relu(self.w_1(x))))
