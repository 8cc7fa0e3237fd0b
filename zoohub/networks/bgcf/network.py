"""BGCF, which recommends items to users from the graph of who chose what.

Source: Sun et al., "A Framework for Recommending Accurate and Diverse Items Using Bayesian Graph
Convolutional Neural Networks" (2020). Parameter names are those of the models repository
(official/gnn/bgcf). Shapes: C channels, K neighbours.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import XavierUniform, initializer


def _weights(rows: int, columns: int) -> Parameter:
    return Parameter(initializer(XavierUniform(), (rows, columns)))


class MeanConv(nn.Cell):
    """A node (N, C) and the mean of its neighbours (N, K, C), through one matrix and tanh."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_weight = _weights(2 * channels, channels)
        self.drop = nn.Dropout(p=0.2)

    def construct(self, node: Tensor, neighbours: Tensor) -> Tensor:
        both = ops.concat((node, self.drop(neighbours.mean(1))), 1)
        return ops.tanh(ops.matmul(both, self.out_weight))


class AttentionConv(nn.Cell):
    """Neighbours (N, K, C) that a node (N, C) attends to, and itself, through one matrix."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_weight = _weights(2 * channels, channels)
        self.drop = nn.Dropout(p=0.2)

    def construct(self, node: Tensor, neighbours: Tensor) -> Tensor:
        query = ops.expand_dims(node, 1)
        weights = ops.softmax(ops.bmm(query, ops.transpose(neighbours, (0, 2, 1))), -1)
        attended = self.drop(ops.bmm(weights, neighbours)[:, 0])
        return ops.matmul(ops.concat((attended, node), 1), self.out_weight)


class BGCF(nn.Cell):
    """Embeddings and representations of users, of items they chose, and of others.

    `final_weight` is what training's regularisation uses.
    """

    def __init__(self, users: int, items: int, embed_dim: int) -> None:
        super().__init__()
        self.user_embed = _weights(users, embed_dim)
        self.item_embed = _weights(items, embed_dim)
        self.final_weight = _weights(3 * embed_dim, 3 * embed_dim)
        self.gnew_agg_mean = MeanConv(embed_dim)
        self.gnew_agg_user = AttentionConv(embed_dim)
        self.gnew_agg_item = AttentionConv(embed_dim)
        self.raw_agg_funcs_user = MeanConv(embed_dim)
        self.raw_agg_funcs_item = MeanConv(embed_dim)

    def construct(
        self,
        user: Tensor,
        item: Tensor,
        other: Tensor,
        user_group: Tensor,
        user_neighbours: Tensor,
        user_sampled: Tensor,
        item_group: Tensor,
        item_neighbours: Tensor,
        item_sampled: Tensor,
        other_group: Tensor,
        other_neighbours: Tensor,
        other_sampled: Tensor,
    ) -> tuple[Tensor, ...]:
        user_known = self.item_embed[user_neighbours]
        user_new = self.item_embed[user_sampled]
        node = self.user_embed[user_group]
        of_user = (
            self.raw_agg_funcs_user(node, user_known),
            self.gnew_agg_mean(node, user_new),
            self.gnew_agg_user(node, ops.concat((user_known, user_new), 1)),
        )
        shape = (*other.shape, -1)
        return (
            self.user_embed[user],
            ops.tanh(ops.concat(of_user, 1)),
            self.item_embed[item],
            self.of_items(item_group, item_neighbours, item_sampled),
            self.item_embed[other],
            ops.reshape(self.of_items(other_group, other_neighbours, other_sampled), shape),
        )

    def of_items(self, group: Tensor, neighbours: Tensor, sampled: Tensor) -> Tensor:
        """Items' representations (N, 3·C) from the users who chose them."""
        node = self.item_embed[group]
        known, new = self.user_embed[neighbours], self.user_embed[sampled]
        parts = (
            self.raw_agg_funcs_item(node, known),
            self.gnew_agg_mean(node, new),
            self.gnew_agg_item(node, ops.concat((known, new), 1)),
        )
        return ops.tanh(ops.concat(parts, 1))


def bgcf(users: int = 7068, items: int = 3570, embed_dim: int = 64) -> BGCF:
    """BGCF: numbers of users and items, int32, with their neighbours' -> six float32 arrays.

    `user` (A,), `item` (A,) and `other` (G, M) are looked up as they are. A representation,
    (·, 3 · embed_dim), is made of a group of nodes (G,), their neighbours (G, K) in the graph and
    those in a sampled copy of it (G, K'); of `other_…` there are G·M.

    Args:
        users: users known: 7068 (Amazon Beauty).
        items: items known: 3570.
        embed_dim: channels of both.
    """
    return BGCF(users, items, embed_dim)
