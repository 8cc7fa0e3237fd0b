"""PanGu-α under MindNLP's names: a language model whose last block asks for the next place.

Source: Zeng et al., "PanGu-α: Large-scale Autoregressive Pretrained Chinese Language Models"
(2021). `pangualpha` is the same network as MindFormers has it.
"""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.causal import HIDDEN, Memory, Order, Past, layer_past
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.language_model import LanguageModel, Remembered, tied_logits
from zoohub.networks.layers.projected_attention import ProjectedAttention

NORM_EPS = 1e-5


class Attention(ProjectedAttention):
    """asking, seen (B, L, C) -> (B, L, C), and keys and values.

    The mask and its value are among the parameters, as the files have them; they are not used,
    since what came before follows from the places.
    """

    def __init__(self, channels: int, num_heads: int, longest: int) -> None:
        super().__init__(channels, num_heads)
        past = np.tril(np.ones((1, 1, longest, longest), np.uint8))
        self.bias = Parameter(Tensor(past), name="bias", requires_grad=False)
        value = Tensor(np.asarray(HIDDEN, np.float32))
        self.masked_bias = Parameter(value, name="masked_bias", requires_grad=False)
        self.c_proj = dense(channels, channels)

    def construct(
        self, asking: Tensor, seen: Tensor, hidden: Tensor, past: Memory | None
    ) -> tuple[Tensor, Memory]:
        found, memory = self.attend(asking, seen, hidden, past)
        return self.c_proj(found), memory


class FeedForward(nn.Cell):
    """Dense, GELU, dense: (B, L, C) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.c_fc = dense(channels, 4 * channels)
        self.c_proj = dense(4 * channels, channels)
        self.act = gelu(exact=True)

    def construct(self, x: Tensor) -> Tensor:
        return self.c_proj(self.act(self.c_fc(x)))


class Block(nn.Cell):
    """Attention, then the feed-forward, each after a layer norm and added: (B, L, C), and keys
    and values.

    With `asking` (B, L, C) that asks, in place of the block's own tokens.
    """

    def __init__(self, channels: int, num_heads: int, longest: int) -> None:
        super().__init__()
        self.ln_1 = layer_norm(channels, NORM_EPS)
        self.attn = Attention(channels, num_heads, longest)
        self.ln_2 = layer_norm(channels, NORM_EPS)
        self.mlp = FeedForward(channels)

    def construct(
        self, x: Tensor, hidden: Tensor, past: Memory | None, asking: Tensor | None = None
    ) -> tuple[Tensor, Memory]:
        seen = self.ln_1(x)
        found, memory = self.attn(seen if asking is None else asking, seen, hidden, past)
        x = x + found
        return x + self.mlp(self.ln_2(x)), memory


class Decoder(nn.Cell):
    """ids (B, L) -> the last block's tokens (B, L, C)."""

    def __init__(
        self, vocab_size: int, embed_dim: int, depth: int, num_heads: int, longest: int
    ) -> None:
        super().__init__()
        init = Normal(0.02)
        self.wte = nn.Embedding(vocab_size, embed_dim, embedding_table=init)
        self.wpe = nn.Embedding(longest, embed_dim, embedding_table=init)
        self.wqe = nn.Embedding(longest, embed_dim, embedding_table=init)
        self.h = nn.CellList([Block(embed_dim, num_heads, longest) for _ in range(depth)])
        self.ln_f = layer_norm(embed_dim, NORM_EPS)
        self.order = Order(longest)
        self.last = depth - 1

    def construct(self, ids: Tensor, counts: Tensor | None, past: Past | None) -> Remembered:
        places, _, hidden = self.order(ids, counts, past)
        x = self.wte(ids) + self.wpe(places)
        asking = ops.broadcast_to(self.wqe(places), x.shape)
        memories: tuple[Memory, ...] = ()
        for number, block in enumerate(self.h):
            if number == self.last:
                x, memory = block(self.ln_f(x), hidden, layer_past(past, number), asking)
            else:
                x, memory = block(x, hidden, layer_past(past, number))
            memories = (*memories, memory)
        return x, memories


class PanGu(LanguageModel):
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


def pangu(
    vocab_size: int = 40000,
    embed_dim: int = 1024,
    depth: int = 24,
    num_heads: int = 16,
    longest: int = 1024,
) -> PanGu:
    """PanGu-α: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    No token sees those after it, so padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token: 1024 (350M), 2560 (2.6B), 5120 (13B).
        depth: blocks, the one that asks included: 24, 32, 40.
        num_heads: heads of each attention: 16, 32, 40.
        longest: tokens of a row, at most.

    Raises:
        ValueError: heads that do not divide.
    """
    if embed_dim % num_heads:
        raise ValueError(f"{num_heads} heads over {embed_dim} channels")
    cache = (2 * depth, num_heads, embed_dim // num_heads)
    return PanGu(Decoder(vocab_size, embed_dim, depth, num_heads, longest), cache)
