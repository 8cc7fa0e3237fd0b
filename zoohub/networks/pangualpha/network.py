"""PanGu-α, a Chinese language model whose last block asks for the next place.

Source: Zeng et al., "PanGu-α: Large-scale Autoregressive Pretrained Chinese Language Models"
(2021). Parameter names are those of MindFormers.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.causal import Memory, Order, Past, layer_past
from zoohub.networks.layers.decoder_block import NORM_EPS, DecoderBlock, PlacedEmbedding
from zoohub.networks.layers.dense import layer_norm
from zoohub.networks.layers.language_model import LanguageModel, Remembered, tied_logits


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
        self.order = Order(longest)
        self.last = depth - 1

    def construct(self, ids: Tensor, counts: Tensor | None, past: Past | None) -> Remembered:
        places, _, hidden = self.order(ids, counts, past)
        x = self.embedding(ids, places)
        memories: tuple[Memory, ...] = ()
        for number, block in enumerate(self.blocks):
            x, memory = block(x, hidden, past=layer_past(past, number))
            memories = (*memories, memory)
        asking = ops.broadcast_to(self.top_query_embedding(places), x.shape)
        x, memory = self.top_query_layer(
            self.layernorm(x), hidden, asking=asking, past=layer_past(past, self.last)
        )
        return x, (*memories, memory)


class PanGuAlpha(LanguageModel):
    """ids (B, L) -> logits (B, L, vocab_size), by the words' own embeddings."""

    def __init__(self, backbone: Backbone, cache: tuple[int, int, int]) -> None:
        super().__init__()
        self.backbone = backbone
        self.cache = cache

    def body(
        self, ids: Tensor, counts: Tensor | None = None, past: Past | None = None
    ) -> Remembered:
        """See `LanguageModel`."""
        return self.backbone(ids, counts, past)

    def logits(self, x: Tensor) -> Tensor:
        """See `LanguageModel`."""
        return tied_logits(x, self.backbone.embedding.word_embedding.embedding_table)


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
    backbone = Backbone(vocab_size, embed_dim, depth, num_heads, ffn_dim, longest)
    return PanGuAlpha(backbone, (2 * depth, num_heads, embed_dim // num_heads))
