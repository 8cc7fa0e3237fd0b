"""Graph convolutional network, a classifier of a graph's nodes.

Source: Kipf and Welling, "Semi-Supervised Classification with Graph Convolutional Networks"
(2017). Parameter names are those of the models repository (official/gnn/gcn).
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import XavierUniform


class GraphConvolution(nn.Cell):
    """adjacency (N, N), features (N, in_features) -> (N, out_features)."""

    def __init__(self, in_features: int, out_features: int, activated: bool) -> None:
        super().__init__()
        self.drop = nn.Dropout(p=0.5)
        self.fc = nn.Dense(in_features, out_features, weight_init=XavierUniform(), has_bias=False)
        self.activated = activated

    def construct(self, adjacency: Tensor, features: Tensor) -> Tensor:
        x = ops.matmul(adjacency, self.fc(self.drop(features)))
        return ops.relu(x) if self.activated else x


class GCN(nn.Cell):
    """adjacency (N, N), features (N, in_features) -> logits (N, num_classes)."""

    def __init__(self, in_features: int, hidden: int, num_classes: int) -> None:
        super().__init__()
        self.layer0 = GraphConvolution(in_features, hidden, activated=True)
        self.layer1 = GraphConvolution(hidden, num_classes, activated=False)

    def construct(self, adjacency: Tensor, features: Tensor) -> Tensor:
        return self.layer1(adjacency, self.layer0(adjacency, features))


def gcn(in_features: int = 1433, hidden: int = 16, num_classes: int = 7) -> GCN:
    """GCN of two layers: adjacency float32 (N, N), features (N, in_features) -> logits.

    Args:
        in_features: features of a node: 1433 (Cora), 3703 (Citeseer).
        hidden: features between the layers.
        num_classes: classes of nodes: 7, 6.
    """
    return GCN(in_features, hidden, num_classes)
