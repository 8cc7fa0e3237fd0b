"""Graph attention network, a classifier of a graph's nodes.

Source: Veličković et al., "Graph Attention Networks" (2018). Parameter names are those of the
models repository (official/gnn/gat). Shapes: B graphs of N nodes.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import XavierUniform, initializer

SLOPE = 0.2  # of the scores' leaky ReLU


class AttentionHead(nn.Cell):
    """features (B, N, in_features), mask (B, N, N) -> (B, N, out_features).

    A node's score of another is the sum of what two dense layers say of each.
    """

    def __init__(self, in_features: int, out_features: int, activated: bool) -> None:
        super().__init__()
        self.bias = Parameter(initializer("zeros", (out_features,)))
        self.drop = nn.Dropout(p=0.6)
        self.coefficient_drop = nn.Dropout(p=0.6)
        self.feature_transform = _dense(in_features, out_features, bias=False)
        self.f_1_transform = _dense(out_features, 1)
        self.f_2_transform = _dense(out_features, 1)
        self.activated = activated

    def construct(self, features: Tensor, mask: Tensor) -> Tensor:
        x = self.feature_transform(self.drop(features))
        scores = self.f_1_transform(x) + ops.transpose(self.f_2_transform(x), (0, 2, 1))
        weights = ops.softmax(ops.maximum(scores, SLOPE * scores) + mask, -1)
        x = ops.bmm(self.coefficient_drop(weights), self.drop(x)) + self.bias
        return ops.elu(x) if self.activated else x


class HeadGroup(nn.Cell):
    """Several heads over the same features: their results joined, or their mean."""

    def __init__(self, heads: int, in_features: int, out_features: int, last: bool) -> None:
        super().__init__()
        self.attns = nn.CellList(
            [AttentionHead(in_features, out_features, not last) for _ in range(heads)]
        )
        self.heads = heads
        self.last = last

    def construct(self, features: Tensor, mask: Tensor) -> Tensor:
        results = [head(features, mask) for head in self.attns]
        return ops.addn(results) / self.heads if self.last else ops.concat(results, -1)


class GAT(nn.Cell):
    """features (B, N, in_features), mask (B, N, N) -> logits (B, N, num_classes)."""

    def __init__(
        self, in_features: int, hidden: int, heads: Sequence[int], num_classes: int
    ) -> None:
        super().__init__()
        first, last = heads
        self.layers = nn.CellList(
            [
                HeadGroup(first, in_features, hidden, last=False),
                HeadGroup(last, first * hidden, num_classes, last=True),
            ]
        )

    def construct(self, features: Tensor, mask: Tensor) -> Tensor:
        for layer in self.layers:
            features = layer(features, mask)
        return features


def _dense(in_features: int, out_features: int, bias: bool = True) -> nn.Dense:
    return nn.Dense(in_features, out_features, weight_init=XavierUniform(), has_bias=bias)


def gat(
    in_features: int = 1433, hidden: int = 8, heads: Sequence[int] = (8, 1), num_classes: int = 7
) -> GAT:
    """GAT of two layers: features float32 (B, N, in_features), mask (B, N, N) -> logits.

    The mask is added to the scores: 0 between neighbours and for a node itself, -1e9 elsewhere.

    Args:
        in_features: features of a node: 1433 (Cora), 3703 (Citeseer).
        hidden: features of each head of the first layer.
        heads: of the first layer and of the last.
        num_classes: classes of nodes: 7, 6.

    Raises:
        ValueError: heads are not of two layers.
    """
    if len(heads) != 2:
        raise ValueError(f"heads are those of two layers, not {list(heads)}")
    return GAT(in_features, hidden, heads, num_classes)
