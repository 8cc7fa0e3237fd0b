"""GPT-2 and GPT-3 with query, key and value in dense layers of their own; StarCoder's kind too.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019); Shazeer,
"Fast Transformer Decoding" (2019) for one head of keys and values. Parameter names are those of
MindFormers.
"""

from __future__ import annotations

from mindspore import Tensor, nn

from zoohub.networks.layers.causal import Memory, Order, Past, layer_past
from zoohub.networks.layers.decoder_block import NORM_EPS, DecoderBlock, PlacedEmbedding
from zoohub.networks.layers.dense import layer_norm
from zoohub.networks.layers.language_model import LanguageModel, Remembered, tied_logits


class Backbone(nn.Cell):
    """ids (B, L) -> the last block's tokens (B, L, C), normalised."""

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        depth: int,
        num_heads: int,
        kv_heads: int | None,
        ffn_dim: int,
        longest: int,
    ) -> None:
        super().__init__()
        self.embedding = PlacedEmbedding(vocab_size, embed_dim, longest)
        self.layernorm = layer_norm(embed_dim, NORM_EPS)
        self.blocks = nn.CellList(
            [DecoderBlock(embed_dim, num_heads, ffn_dim, kv_heads=kv_heads) for _ in range(depth)]
        )
        self.order = Order(longest)

    def construct(self, ids: Tensor, counts: Tensor | None, past: Past | None) -> Remembered:
        places, _, hidden = self.order(ids, counts, past)
        x = self.embedding(ids, places)
        memories: tuple[Memory, ...] = ()
        for number, block in enumerate(self.blocks):
            x, memory = block(x, hidden, past=layer_past(past, number))
            memories = (*memories, memory)
        return self.layernorm(x), memories


class SplitGPT2(LanguageModel):
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


def gpt2_split(
    vocab_size: int = 50257,
    embed_dim: int = 768,
    depth: int = 12,
    num_heads: int = 12,
    kv_heads: int | None = None,
    ffn_dim: int | None = None,
    longest: int = 1024,
) -> SplitGPT2:
    """GPT-2: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    No token sees those after it, so padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token: 768 (GPT-2), 1600 (XL), 5120 (13B).
        depth: blocks: 12, 48, 40.
        num_heads: heads of queries: 12, 25, 40.
        kv_heads: heads of keys and values; None: as many. 1 for StarCoder's kind.
        ffn_dim: channels inside the feed-forward; None: four times `embed_dim`.
        longest: tokens of a row, at most.

    Raises:
        ValueError: heads that do not divide.
    """
    if embed_dim % num_heads or num_heads % (kv_heads or num_heads):
        raise ValueError(f"{num_heads} heads over {embed_dim} channels, {kv_heads} of keys")
    ffn_dim = ffn_dim or 4 * embed_dim
    backbone = Backbone(vocab_size, embed_dim, depth, num_heads, kv_heads, ffn_dim, longest)
    return SplitGPT2(backbone, (2 * depth, kv_heads or num_heads, embed_dim // num_heads))
