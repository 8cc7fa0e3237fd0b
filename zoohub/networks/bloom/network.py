"""BLOOM, a language model for 46 languages.

Source: BigScience Workshop, "BLOOM: A 176B-Parameter Open-Access Multilingual Language Model"
(2022). Parameter names are those of MindFormers.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.causal import Places, alibi_slopes, future
from zoohub.networks.layers.decoder_block import NORM_EPS, DecoderBlock
from zoohub.networks.layers.dense import layer_norm


class Embedding(nn.Cell):
    """ids (B, L) -> tokens (B, L, C), normalised."""

    def __init__(self, vocab_size: int, embed_dim: int) -> None:
        super().__init__()
        self.word_embedding = nn.Embedding(vocab_size, embed_dim, embedding_table=Normal(0.02))
        self.norm = layer_norm(embed_dim, NORM_EPS)

    def construct(self, ids: Tensor) -> Tensor:
        return self.norm(self.word_embedding(ids))


class Bloom(nn.Cell):
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
        self.places = Places(longest)
        self.slopes = Tensor(alibi_slopes(num_heads))

    def construct(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids)
        places = self.places(ids.shape[1])
        hidden = future(places)
        bias = self.slopes * places.astype(x.dtype)
        for block in self.blocks:
            x = block(x, hidden, bias)
        return ops.matmul(self.ln_f(x), self.embedding.word_embedding.embedding_table.T)


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
