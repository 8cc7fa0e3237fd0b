"""OPT.

Source: Zhang et al., "OPT: Open Pre-trained Transformer Language Models" (2022). Parameter names
are those of MindNLP 0.1.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.causal import Memory, Order, Past, layer_past
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.language_model import LanguageModel, Remembered, tied_logits
from zoohub.networks.layers.projected_attention import ProjectedAttention

NORM_EPS = 1e-5
FIRST_PLACE = 2  # rows of the position table that stand before the first token's


class Attention(ProjectedAttention):
    """Attention over what came before: (B, L, C) -> the same shape, and keys and values."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__(channels, num_heads)
        self.out_proj = dense(channels, channels)

    def construct(self, x: Tensor, hidden: Tensor, past: Memory | None) -> tuple[Tensor, Memory]:
        found, memory = self.attend(x, x, hidden, past)
        return self.out_proj(found), memory


class Block(nn.Cell):
    """Attention, then the feed-forward, each added: (B, L, C) -> the same shape, and keys and
    values.

    `norms_first`: a layer norm stands before each part rather than after its sum.
    """

    def __init__(self, channels: int, num_heads: int, ffn_dim: int, norms_first: bool) -> None:
        super().__init__()
        self.self_attn = Attention(channels, num_heads)
        self.self_attn_layer_norm = layer_norm(channels, NORM_EPS)
        self.fc1 = dense(channels, ffn_dim)
        self.fc2 = dense(ffn_dim, channels)
        self.final_layer_norm = layer_norm(channels, NORM_EPS)
        self.norms_first = norms_first

    def construct(self, x: Tensor, hidden: Tensor, past: Memory | None) -> tuple[Tensor, Memory]:
        if self.norms_first:
            found, memory = self.self_attn(self.self_attn_layer_norm(x), hidden, past)
            x = x + found
            return x + self.feed_forward(self.final_layer_norm(x)), memory
        found, memory = self.self_attn(x, hidden, past)
        x = self.self_attn_layer_norm(x + found)
        return self.final_layer_norm(x + self.feed_forward(x)), memory

    def feed_forward(self, x: Tensor) -> Tensor:
        """Dense, ReLU, dense."""
        return self.fc2(ops.relu(self.fc1(x)))


class Decoder(nn.Cell):
    """ids (B, L) -> tokens (B, L, word_dim). Arguments are those of `opt`."""

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        word_dim: int,
        depth: int,
        num_heads: int,
        ffn_dim: int,
        norms_first: bool,
        longest: int,
    ) -> None:
        super().__init__()
        init = Normal(0.02)
        self.embed_tokens = nn.Embedding(vocab_size, word_dim, embedding_table=init)
        rows = longest + FIRST_PLACE
        self.embed_positions = nn.Embedding(rows, embed_dim, embedding_table=init)
        self.projects = word_dim != embed_dim
        if self.projects:
            self.project_out = dense(embed_dim, word_dim, bias=False)
            self.project_in = dense(word_dim, embed_dim, bias=False)
        self.norms_first = norms_first
        if norms_first:
            self.final_layer_norm = layer_norm(embed_dim, NORM_EPS)
        self.layers = nn.CellList(
            [Block(embed_dim, num_heads, ffn_dim, norms_first) for _ in range(depth)]
        )
        self.order = Order(longest)

    def construct(self, ids: Tensor, counts: Tensor | None, past: Past | None) -> Remembered:
        places, _, hidden = self.order(ids, counts, past)
        x = self.embed_tokens(ids)
        x = self.project_in(x) if self.projects else x
        x = x + self.embed_positions(places + FIRST_PLACE)
        memories: tuple[Memory, ...] = ()
        for number, layer in enumerate(self.layers):
            x, memory = layer(x, hidden, layer_past(past, number))
            memories = (*memories, memory)
        x = self.final_layer_norm(x) if self.norms_first else x
        return (self.project_out(x) if self.projects else x), memories


class Model(nn.Cell):
    """The decoder under the name that the files have before it."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def construct(self, ids: Tensor, counts: Tensor | None, past: Past | None) -> Remembered:
        return self.decoder(ids, counts, past)


class OPT(LanguageModel):
    """ids (B, L) -> logits (B, L, vocab_size), by the words' own embeddings."""

    def __init__(self, decoder: Decoder, cache: tuple[int, int, int]) -> None:
        super().__init__()
        self.model = Model(decoder)
        self.cache = cache

    def body(
        self, ids: Tensor, counts: Tensor | None = None, past: Past | None = None
    ) -> Remembered:
        """See `LanguageModel`."""
        return self.model(ids, counts, past)

    def logits(self, x: Tensor) -> Tensor:
        """See `LanguageModel`."""
        return tied_logits(x, self.model.decoder.embed_tokens.embedding_table)


def opt(
    vocab_size: int = 50272,
    embed_dim: int = 1024,
    word_dim: int = 512,
    depth: int = 24,
    num_heads: int = 16,
    ffn_dim: int = 4096,
    norms_first: bool = False,
    longest: int = 2048,
) -> OPT:
    """OPT: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    No token sees those after it, so padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token inside the blocks: 1024 (350M).
        word_dim: channels of a token's embedding: 512 (350M), mostly `embed_dim`.
        depth: blocks.
        num_heads: heads of each attention.
        ffn_dim: channels inside the feed-forward.
        norms_first: layer norms stand before the parts of a block, as in all but 350M.
        longest: tokens of a row, at most.

    Raises:
        ValueError: heads that do not divide.
    """
    if embed_dim % num_heads:
        raise ValueError(f"{num_heads} heads over {embed_dim} channels")
    decoder = Decoder(
        vocab_size, embed_dim, word_dim, depth, num_heads, ffn_dim, norms_first, longest
    )
    return OPT(decoder, (2 * depth, num_heads, embed_dim // num_heads))
