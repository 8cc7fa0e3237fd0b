"""The first GPT.

Source: Radford et al., "Improving Language Understanding by Generative Pre-Training" (2018).
Parameter names are those of MindNLP 0.1.
"""

from __future__ import annotations

from mindspore import Tensor, nn
from mindspore.common.initializer import Normal

from zoohub.networks.layers.causal import Memory, Order, Past, layer_past
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.joint_decoder import JointAttention, JointFeedForward
from zoohub.networks.layers.language_model import LanguageModel, Remembered, tied_logits

NORM_EPS = 1e-5


class Block(nn.Cell):
    """Attention, then the feed-forward, each added and normalised: (B, L, C), and keys and
    values."""

    def __init__(self, channels: int, num_heads: int) -> None:
        super().__init__()
        self.attn = JointAttention(channels, num_heads)
        self.ln_1 = layer_norm(channels, NORM_EPS)
        self.mlp = JointFeedForward(channels)
        self.ln_2 = layer_norm(channels, NORM_EPS)

    def construct(self, x: Tensor, hidden: Tensor, past: Memory | None) -> tuple[Tensor, Memory]:
        found, memory = self.attn(x, hidden, past)
        x = self.ln_1(x + found)
        return self.ln_2(x + self.mlp(x)), memory


class Decoder(nn.Cell):
    """ids (B, L) -> the last block's tokens (B, L, C)."""

    def __init__(
        self, vocab_size: int, embed_dim: int, depth: int, num_heads: int, longest: int
    ) -> None:
        super().__init__()
        self.tokens_embed = nn.Embedding(vocab_size, embed_dim, embedding_table=Normal(0.02))
        self.positions_embed = nn.Embedding(longest, embed_dim, embedding_table=Normal(0.02))
        self.h = nn.CellList([Block(embed_dim, num_heads) for _ in range(depth)])
        self.order = Order(longest)

    def construct(self, ids: Tensor, counts: Tensor | None, past: Past | None) -> Remembered:
        places, _, hidden = self.order(ids, counts, past)
        x = self.tokens_embed(ids) + self.positions_embed(places)
        memories: tuple[Memory, ...] = ()
        for number, block in enumerate(self.h):
            x, memory = block(x, hidden, layer_past(past, number))
            memories = (*memories, memory)
        return x, memories


class OpenAIGPT(LanguageModel):
    """ids (B, L) -> logits (B, L, vocab_size)."""

    def __init__(
        self,
        transformer: Decoder,
        vocab_size: int,
        embed_dim: int,
        tied: bool,
        cache: tuple[int, int, int],
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.cache = cache
        self.tied = tied
        if not tied:
            self.lm_head = dense(embed_dim, vocab_size, bias=False)

    def body(
        self, ids: Tensor, counts: Tensor | None = None, past: Past | None = None
    ) -> Remembered:
        """See `LanguageModel`."""
        return self.transformer(ids, counts, past)

    def logits(self, x: Tensor) -> Tensor:
        """See `LanguageModel`."""
        if self.tied:
            return tied_logits(x, self.transformer.tokens_embed.embedding_table)
        return self.lm_head(x)


def openai_gpt(
    vocab_size: int = 40478,
    embed_dim: int = 768,
    depth: int = 12,
    num_heads: int = 12,
    longest: int = 512,
    tied_head: bool = True,
) -> OpenAIGPT:
    """GPT: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    No token sees those after it, so padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token.
        depth: blocks.
        num_heads: heads of each attention.
        longest: tokens of a row, at most.
        tied_head: the logits' weights are the tokens', as those of the published file.

    Raises:
        ValueError: heads that do not divide.
    """
    if embed_dim % num_heads:
        raise ValueError(f"{num_heads} heads over {embed_dim} channels")
    decoder = Decoder(vocab_size, embed_dim, depth, num_heads, longest)
    cache = (2 * depth, num_heads, embed_dim // num_heads)
    return OpenAIGPT(decoder, vocab_size, embed_dim, tied_head, cache)
