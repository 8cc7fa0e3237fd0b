"""PanGu-α under MindNLP's names: a language model whose last block asks for the next place.

Source: Zeng et al., "PanGu-α: Large-scale Autoregressive Pretrained Chinese Language Models"
(2021). `pangualpha` is the same network as MindFormers has it.
"""

from __future__ import annotations

import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Normal

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.causal import HIDDEN, Places, future
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.projected_attention import ProjectedAttention

NORM_EPS = 1e-5


class Attention(ProjectedAttention):
    """asking, seen (B, L, C) -> (B, L, C). The mask and its value are among the parameters, as
    the files have them; they are not used, since what came before follows from the places."""

    def __init__(self, channels: int, num_heads: int, longest: int) -> None:
        super().__init__(channels, num_heads)
        past = np.tril(np.ones((1, 1, longest, longest), np.uint8))
        self.bias = Parameter(Tensor(past), name="bias", requires_grad=False)
        value = Tensor(np.asarray(HIDDEN, np.float32))
        self.masked_bias = Parameter(value, name="masked_bias", requires_grad=False)
        self.c_proj = dense(channels, channels)

    def construct(self, asking: Tensor, seen: Tensor, hidden: Tensor) -> Tensor:
        return self.c_proj(self.attend(asking, seen, hidden))


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
    """Attention, then the feed-forward, each after a layer norm and added: (B, L, C).

    With `asking` (B, L, C) that asks, in place of the block's own tokens.
    """

    def __init__(self, channels: int, num_heads: int, longest: int) -> None:
        super().__init__()
        self.ln_1 = layer_norm(channels, NORM_EPS)
        self.attn = Attention(channels, num_heads, longest)
        self.ln_2 = layer_norm(channels, NORM_EPS)
        self.mlp = FeedForward(channels)

    def construct(self, x: Tensor, hidden: Tensor, asking: Tensor | None = None) -> Tensor:
        seen = self.ln_1(x)
        x = x + self.attn(seen if asking is None else asking, seen, hidden)
        return x + self.mlp(self.ln_2(x))


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
        self.places = Places(longest)
        self.last = depth - 1

    def construct(self, ids: Tensor) -> Tensor:
        places = self.places(ids.shape[1])
        hidden = future(places)
        x = self.wte(ids) + self.wpe(places)
        asking = ops.broadcast_to(self.wqe(places), x.shape)
        for number, block in enumerate(self.h):
            if number == self.last:
                x = block(self.ln_f(x), hidden, asking)
            else:
                x = block(x, hidden)
        return x


class PanGu(nn.Cell):
    """ids (B, L) -> logits (B, L, vocab_size), by the words' own embeddings."""

    def __init__(self, transformer: Decoder) -> None:
        super().__init__()
        self.transformer = transformer

    def construct(self, ids: Tensor) -> Tensor:
        return ops.matmul(self.transformer(ids), self.transformer.wte.embedding_table.T)


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
    return PanGu(Decoder(vocab_size, embed_dim, depth, num_heads, longest))
