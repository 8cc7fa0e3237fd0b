"""PanGu-α, a Chinese language model whose last block asks for the next place.

Source: Zeng et al., "PanGu-α: Large-scale Autoregressive Pretrained Chinese Language Models"
(2021). Parameter names are those of MindFormers.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.causal import Places, future
from zoohub.networks.layers.decoder_block import NORM_EPS, DecoderBlock, PlacedEmbedding
from zoohub.networks.layers.dense import layer_norm


class Backbone(nn.Cell):
    """ids (B, L) -> the query block's tokens (B, L, C)."""

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        ffn_dim: int,
        longest: int,
    ) -> None:
        super().__init__()
        self.embedding = PlacedEmbedding(vocab_size, embed_dim, longest)
        self.layernorm = layer_norm(embed_dim, NORM_EPS)
        blocks = (DecoderBlock(embed_dim, num_heads, ffn_dim, "sigmoid") for _ in range(depth - 1))
        self.blocks = nn.CellList(list(blocks))
        self.top_query_embedding = nn.Embedding(longest, embed_dim, embedding_table=Normal(0.02))
        self.top_query_layer = DecoderBlock(embed_dim, num_heads, ffn_dim, "sigmoid")
        self.places = Places(longest)

    def construct(self, ids: Tensor) -> Tensor:
        places = self.places(ids.shape[1])
        hidden = future(places)
        x = self.embedding(ids, places)
        for block in self.blocks:
            x = block(x, hidden)
        asking = ops.broadcast_to(self.top_query_embedding(places), x.shape)
        return self.top_query_layer(self.layernorm(x), hidden, asking=asking)


class PanGuAlpha(nn.Cell):
    """ids (B, L) -> logits (B, L, vocab_size), by the words' own embeddings."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def construct(self, ids: Tensor) -> Tensor:
        table = self.backbone.embedding.word_embedding.embedding_table
        return ops.matmul(self.backbone(ids), table.T)


def pangualpha(
    vocab_size: int = 40000,
    embed_dim: int = 2560,
    depth: int = 32,
    num_heads: int = 32,
    ffn_dim: int | None = None,
    longest: int = 1024,
) -> PanGuAlpha:
    """PanGu-α: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    No token sees those after it, so padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token: 2560 (2.6B), 5120 (13B).
        depth: blocks, the query block included: 32, 40.
        num_heads: heads of each attention: 32, 40.
        ffn_dim: channels inside the feed-forward; None: four times `embed_dim`.
        longest: tokens of a row, at most.

    Raises:
        ValueError: heads that do not divide.
    """
    if embed_dim % num_heads:
        raise ValueError(f"{num_heads} heads over {embed_dim} channels")
    ffn_dim = ffn_dim or 4 * embed_dim
    return PanGuAlpha(Backbone(vocab_size, embed_dim, depth, num_heads, ffn_dim, longest))
