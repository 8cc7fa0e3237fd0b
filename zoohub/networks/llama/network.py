"""LLaMA and what is built like it: Baichuan 2, InternLM, Qwen, Skywork, TeleChat.

Source: Touvron et al., "LLaMA: Open and Efficient Foundation Language Models" (2023), and the
projects' own reports. Parameter names are Meta's, as MindFormers has them. Shapes: B rows of L
tokens, H heads of D channels, C = H·D.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Normal, initializer

from zoohub.networks.layers.attention import merge_heads, split_heads
from zoohub.networks.layers.causal import (
    Memory,
    Order,
    Past,
    alibi,
    alibi_slopes,
    attend_past,
    layer_past,
    recalled,
)
from zoohub.networks.layers.dense import dense
from zoohub.networks.layers.language_model import LanguageModel, Remembered, tied_logits
from zoohub.networks.layers.rms_norm import RMSNorm
from zoohub.networks.layers.rotary import Rotary

Positions = Literal["rotary", "alibi"]
HEAD_EPS = 1e-5  # of the squared length of a normalised head's rows


@dataclass(frozen=True)
class Sizes:
    """The arguments of `llama`."""

    vocab_size: int
    embed_dim: int
    depth: int
    num_heads: int
    kv_heads: int
    ffn_dim: int
    norm_eps: float
    qkv_bias: bool
    out_bias: bool
    down_bias: bool
    joint_kv: bool
    head: str
    positions: str
    longest: int


class TokenTable(nn.Cell):
    """ids (B, L) -> (B, L, C)."""

    def __init__(self, vocab_size: int, embed_dim: int) -> None:
        super().__init__()
        self.embedding_weight = Parameter(initializer(Normal(0.02), (vocab_size, embed_dim)))

    def construct(self, ids: Tensor) -> Tensor:
        return ops.gather(self.embedding_weight, ids, 0)


class Attention(nn.Cell):
    """Self-attention over what came before, several query heads to a key head: (B, L, C), and keys
    and values."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.embed_dim // sizes.num_heads
        kv_dim = sizes.kv_heads * width
        self.num_heads, self.kv_heads, self.width = sizes.num_heads, sizes.kv_heads, width
        self.scale = width**-0.5
        self.joint_kv = sizes.joint_kv
        self.wq = dense(sizes.embed_dim, sizes.embed_dim, sizes.qkv_bias)
        if sizes.joint_kv:
            self.wk_v = dense(sizes.embed_dim, 2 * kv_dim, sizes.qkv_bias)
        else:
            self.wk = dense(sizes.embed_dim, kv_dim, sizes.qkv_bias)
            self.wv = dense(sizes.embed_dim, kv_dim, sizes.qkv_bias)
        self.wo = dense(sizes.embed_dim, sizes.embed_dim, sizes.out_bias)
        self.rotary = sizes.positions == "rotary"
        if self.rotary:
            self.turn = Rotary(width, sizes.longest)

    def construct(
        self,
        x: Tensor,
        places: Tensor,
        hidden: Tensor,
        bias: Tensor | None,
        past: Memory | None,
    ) -> tuple[Tensor, Memory]:
        query = split_heads(self.wq(x), self.num_heads)
        if self.joint_kv:  # each head's key and value lie side by side
            both = split_heads(self.wk_v(x), self.kv_heads)
            key, value = ops.split(both, self.width, -1)
        else:
            key = split_heads(self.wk(x), self.kv_heads)
            value = split_heads(self.wv(x), self.kv_heads)
        if self.rotary:
            query, key = self.turn(query, places), self.turn(key, places)
        keys, values = recalled(key, value, past)
        found = attend_past(query, keys, values, self.scale, hidden, bias)
        return self.wo(merge_heads(found)), (key, value)


class FeedForward(nn.Cell):
    """w2(silu(w1(x)) · w3(x)): (B, L, C) -> the same shape."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.w1 = dense(sizes.embed_dim, sizes.ffn_dim, bias=False)
        self.w2 = dense(sizes.ffn_dim, sizes.embed_dim, sizes.down_bias)
        self.w3 = dense(sizes.embed_dim, sizes.ffn_dim, bias=False)

    def construct(self, x: Tensor) -> Tensor:
        gate = self.w1(x)
        return self.w2(gate * ops.sigmoid(gate) * self.w3(x))


class Block(nn.Cell):
    """Attention, then the feed-forward, each after a norm and added: (B, L, C), and keys and
    values."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(sizes.embed_dim, sizes.norm_eps)
        self.ffn_norm = RMSNorm(sizes.embed_dim, sizes.norm_eps)
        self.attention = Attention(sizes)
        self.feed_forward = FeedForward(sizes)

    def construct(
        self,
        x: Tensor,
        places: Tensor,
        hidden: Tensor,
        bias: Tensor | None,
        past: Memory | None,
    ) -> tuple[Tensor, Memory]:
        found, memory = self.attention(self.attention_norm(x), places, hidden, bias, past)
        x = x + found
        return x + self.feed_forward(self.ffn_norm(x)), memory


class Decoder(nn.Cell):
    """ids (B, L) -> the last block's tokens (B, L, C), normalised."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.tok_embeddings = TokenTable(sizes.vocab_size, sizes.embed_dim)
        self.layers = nn.CellList([Block(sizes) for _ in range(sizes.depth)])
        self.norm_out = RMSNorm(sizes.embed_dim, sizes.norm_eps)
        self.order = Order(sizes.longest)
        self.alibi = sizes.positions == "alibi"
        if self.alibi:
            self.slopes = Tensor(alibi_slopes(sizes.num_heads))

    def construct(self, ids: Tensor, counts: Tensor | None, past: Past | None) -> Remembered:
        x = self.tok_embeddings(ids)
        places, seen, hidden = self.order(ids, counts, past)
        bias = alibi(self.slopes, seen) if self.alibi else None
        memories: tuple[Memory, ...] = ()
        for number, layer in enumerate(self.layers):
            x, memory = layer(x, places, hidden, bias, layer_past(past, number))
            memories = (*memories, memory)
        return self.norm_out(x), memories


class Llama(LanguageModel):
    """ids (B, L) -> logits (B, L, vocab_size)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.model = Decoder(sizes)
        self.head = sizes.head
        self.cache = (2 * sizes.depth, sizes.kv_heads, sizes.embed_dim // sizes.num_heads)
        if sizes.head != "tied":
            self.lm_head = dense(sizes.embed_dim, sizes.vocab_size, bias=False)

    def body(
        self, ids: Tensor, counts: Tensor | None = None, past: Past | None = None
    ) -> Remembered:
        """See `LanguageModel`."""
        return self.model(ids, counts, past)

    def logits(self, x: Tensor) -> Tensor:
        """See `LanguageModel`."""
        if self.head == "own":
            return self.lm_head(x)
        if self.head == "tied":
            table = self.model.tok_embeddings.embedding_weight
        else:
            weight = self.lm_head.weight
            table = weight * ops.rsqrt(ops.square(weight).sum(-1, keepdims=True) + HEAD_EPS)
        return tied_logits(x, table)


def llama(
    vocab_size: int = 32000,
    embed_dim: int = 4096,
    depth: int = 32,
    num_heads: int = 32,
    kv_heads: int | None = None,
    ffn_dim: int = 11008,
    norm_eps: float = 1e-6,
    qkv_bias: bool = False,
    out_bias: bool = False,
    down_bias: bool = False,
    joint_kv: bool = False,
    head: Literal["own", "tied", "normalised"] = "own",
    positions: Positions = "rotary",
    longest: int = 2048,
) -> Llama:
    """LLaMA: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    No token sees those after it, so padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token.
        depth: blocks.
        num_heads: heads of queries.
        kv_heads: heads of keys and values; None: as many.
        ffn_dim: channels inside the feed-forward.
        norm_eps: epsilon of the norms: 1e-6 (LLaMA), 1e-5 (LLaMA 2).
        qkv_bias: biases of query, key and value (InternLM, Qwen).
        out_bias: bias of the attention's output (InternLM, TeleChat).
        down_bias: bias of the feed-forward's output (TeleChat).
        joint_kv: key and value in one dense layer (TeleChat).
        head: the logits' weights: their own, "tied" to the tokens' (TeleChat), or their own with
            each row of length 1 (Baichuan 2).
        positions: "rotary" or "alibi" (Baichuan 2 13B).
        longest: tokens of a row, at most.

    Raises:
        ValueError: heads that do not divide, or an unknown head or kind of positions.
    """
    kv_heads = num_heads if kv_heads is None else kv_heads
    if embed_dim % num_heads or num_heads % kv_heads:
        raise ValueError(f"{num_heads} heads over {embed_dim} channels, {kv_heads} of keys")
    if head not in ("own", "tied", "normalised"):
        raise ValueError(f'head is "own", "tied" or "normalised", not {head!r}')
    if positions not in ("rotary", "alibi"):
        raise ValueError(f'positions are "rotary" or "alibi", not {positions!r}')
    return Llama(
        Sizes(
            vocab_size,
            embed_dim,
            depth,
            num_heads,
            kv_heads,
            ffn_dim,
            norm_eps,
            qkv_bias,
            out_bias,
            down_bias,
            joint_kv,
            head,
            positions,
            longest,
        )
    )
