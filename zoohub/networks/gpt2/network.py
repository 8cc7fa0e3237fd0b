"""GPT-2.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019). Parameter
names are those of MindNLP 0.1.
"""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn
from mindspore.common.initializer import Normal

from zoohub.networks.layers.causal import Memory, Order, Past, layer_past
from zoohub.networks.layers.dense import layer_norm
from zoohub.networks.layers.joint_decoder import JointAttention, JointFeedForward
from zoohub.networks.layers.language_model import LanguageModel, Remembered, tied_logits

NORM_EPS = 1e-5


class Attention(JointAttention):
    """`JointAttention` with the mask among its parameters, as the files have it; it is not used,
    since what came before follows from the places."""

    def __init__(self, channels: int, num_heads: int, longest: int) -> None:
        super().__init__(channels, num_heads)
        past = np.tril(np.ones((1, 1, longest, longest), bool))
        self.bias = Parameter(Tensor(past), name="bias", requires_grad=False)


class Block(nn.Cell):
    """Attention, then the feed-forward, each after a layer norm and added: (B, L, C), and keys
    and values."""

    def __init__(self, channels: int, num_heads: int, longest: int) -> None:
        super().__init__()
        self.ln_1 = layer_norm(channels, NORM_EPS)
        self.attn = Attention(channels, num_heads, longest)
        self.ln_2 = layer_norm(channels, NORM_EPS)
        self.mlp = JointFeedForward(channels)

    def construct(self, x: Tensor, hidden: Tensor, past: Memory | None) -> tuple[Tensor, Memory]:
        found, memory = self.attn(self.ln_1(x), hidden, past)
        x = x + found
        return x + self.mlp(self.ln_2(x)), memory


class Decoder(nn.Cell):
    """ids (B, L) -> the last block's tokens (B, L, C), normalised."""

    def __init__(
        self, vocab_size: int, embed_dim: int, depth: int, num_heads: int, longest: int
    ) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocab_size, embed_dim, embedding_table=Normal(0.02))
        self.wpe = nn.Embedding(longest, embed_dim, embedding_table=Normal(0.02))
        self.h = nn.CellList([Block(embed_dim, num_heads, longest) for _ in range(depth)])
        self.ln_f = layer_norm(embed_dim, NORM_EPS)
        self.order = Order(longest)

    def construct(self, ids: Tensor, counts: Tensor | None, past: Past | None) -> Remembered:
        places, _, hidden = self.order(ids, counts, past)
        x = self.wte(ids) + self.wpe(places)
        memories: tuple[Memory, ...] = ()
        for number, block in enumerate(self.h):
            x, memory = block(x, hidden, layer_past(past, number))
            memories = (*memories, memory)
        return self.ln_f(x), memories


class GPT2(LanguageModel):
    """ids (B, L) -> logits (B, L, vocab_size), by the words' own embeddings."""

    def __init__(self, transformer: Decoder, cache: tuple[int, int, int]) -> None:
        super().__init__()
        self.transformer = transformer
        self.cache = cache

    def body(
        self, ids: Tensor, counts: Tensor | None = None, past: Past | None = None
    ) -> Remembered:
        """See `LanguageModel`."""
        return self.transformer(ids, counts, past)

    def logits(self, x: Tensor) -> Tensor:
        """See `LanguageModel`."""
        return tied_logits(x, self.transformer.wte.embedding_table)


def gpt2(
    vocab_size: int = 50257,
    embed_dim: int = 768,
    depth: int = 12,
    num_heads: int = 12,
    longest: int = 1024,
) -> GPT2:
    """GPT-2: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    No token sees those after it, so padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token: 768 (base), 1024 (medium), 1280 (large), 1600 (XL).
        depth: blocks: 12, 24, 36, 48; 6 (DistilGPT2).
        num_heads: heads of each attention: 12, 16, 20, 25.
        longest: tokens of a row, at most.

    Raises:
        ValueError: heads that do not divide.
    """
    if embed_dim % num_heads:
        raise ValueError(f"{num_heads} heads over {embed_dim} channels")
    cache = (2 * depth, num_heads, embed_dim // num_heads)
    return GPT2(Decoder(vocab_size, embed_dim, depth, num_heads, longest), cache)
