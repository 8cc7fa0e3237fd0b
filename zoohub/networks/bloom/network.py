"""BLOOM, a language model for 46 languages.

Source: BigScience Workshop, "BLOOM: A 176B-Parameter Open-Access Multilingual Language Model"
(2022). Parameter names are those of MindFormers.
"""

from __future__ import annotations

from mindspore import Tensor, nn
from mindspore.common.initializer import Normal

from zoohub.networks.layers.causal import Memory, Order, Past, alibi, alibi_slopes, layer_past
from zoohub.networks.layers.decoder_block import NORM_EPS, DecoderBlock
from zoohub.networks.layers.dense import layer_norm
from zoohub.networks.layers.language_model import LanguageModel, Remembered, tied_logits


class Embedding(nn.Cell):
    """ids (B, L) -> tokens (B, L, C), normalised."""

    def __init__(self, vocab_size: int, embed_dim: int) -> None:
        super().__init__()
        self.word_embedding = nn.Embedding(vocab_size, embed_dim, embedding_table=Normal(0.02))
        self.norm = layer_norm(embed_dim, NORM_EPS)

    def construct(self, ids: Tensor) -> Tensor:
        return self.norm(self.word_embedding(ids))


class Bloom(LanguageModel):
    """ids (B, L) -> logits (B, L, vocab_size). Arguments are those of `bloom`."""

    def __init__(
        self, vocab_size: int, embed_dim: int, depth: int, num_heads: int, longest: int
    ) -> None:
        super().__init__()
        self.embedding = Embedding(vocab_size, embed_dim)
        self.blocks = nn.CellList(
            [DecoderBlock(embed_dim, num_heads, 4 * embed_dim) for _ in range(depth)]
        )
        self.ln_f = layer_norm(embed_dim, NORM_EPS)
        self.order = Order(longest)
        self.slopes = Tensor(alibi_slopes(num_heads))
        self.cache = (2 * depth, num_heads, embed_dim // num_heads)

    def body(
        self, ids: Tensor, counts: Tensor | None = None, past: Past | None = None
    ) -> Remembered:
        """See `LanguageModel`."""
        x = self.embedding(ids)
        _, seen, hidden = self.order(ids, counts, past)
        bias = alibi(self.slopes, seen)
        memories: tuple[Memory, ...] = ()
        for number, block in enumerate(self.blocks):
            x, memory = block(x, hidden, bias, past=layer_past(past, number))
            memories = (*memories, memory)
        return self.ln_f(x), memories

    def logits(self, x: Tensor) -> Tensor:
        """See `LanguageModel`."""
        return tied_logits(x, self.embedding.word_embedding.embedding_table)


def bloom(
    vocab_size: int = 250880,
    embed_dim: int = 1024,
    depth: int = 24,
    num_heads: int = 16,
    longest: int = 2048,
) -> Bloom:
    """BLOOM: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    No token sees those after it, so padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token: 1024 (560M), 4096 (7.1B).
        depth: blocks: 24, 30.
        num_heads: heads of each attention: 16, 32.
        longest: tokens of a row, at most.

    Raises:
        ValueError: heads that do not divide.
    """
    if embed_dim % num_heads:
        raise ValueError(f"{num_heads} heads over {embed_dim} channels")
    return Bloom(vocab_size, embed_dim, depth, num_heads, longest)
