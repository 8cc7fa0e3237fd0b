"""iFlytekSpark, a language model for Chinese and English.

Source: the project's own definition in MindFormers (research/iflytekspark), whose parameter names
these are. Shapes: B rows of L tokens, C channels of a token.
"""

from __future__ import annotations

from mindspore import Tensor, nn
from mindspore.common.initializer import Normal

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import merge_heads, split_heads
from zoohub.networks.layers.causal import Memory, Order, Past, attend_past, layer_past, recalled
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.language_model import LanguageModel, Remembered, tied_logits
from zoohub.networks.layers.rotary import Rotary

NORM_EPS = 1e-5
THETA = 1000000.0


class Attention(nn.Cell):
    """Attention over what came before: (B, L, C) -> the same shape, and keys and values."""

    def __init__(self, channels: int, num_heads: int, turn: Rotary) -> None:
        super().__init__()
        self.q_proj = dense(channels, channels)
        self.k_proj = dense(channels, channels)
        self.v_proj = dense(channels, channels)
        self.out_proj = dense(channels, channels)
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5
        self.turn = turn

    def construct(
        self, x: Tensor, places: Tensor, hidden: Tensor, past: Memory | None
    ) -> tuple[Tensor, Memory]:
        query = self.turn(split_heads(self.q_proj(x), self.num_heads), places)
        key = self.turn(split_heads(self.k_proj(x), self.num_heads), places)
        value = split_heads(self.v_proj(x), self.num_heads)
        keys, values = recalled(key, value, past)
        found = attend_past(query, keys, values, self.scale, hidden)
        return self.out_proj(merge_heads(found)), (key, value)


class FeedForward(nn.Cell):
    """fc2(gelu(fc0(x)) · fc1(x)): (B, L, C) -> the same shape."""

    def __init__(self, channels: int, ffn_dim: int) -> None:
        super().__init__()
        self.fc0 = dense(channels, ffn_dim)
        self.fc1 = dense(channels, ffn_dim)
        self.fc2 = dense(ffn_dim, channels)
        self.act = gelu(exact=False)

    def construct(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc0(x)) * self.fc1(x))


class Block(nn.Cell):
    """Attention, then the feed-forward, each after a layer norm and added: (B, L, C), and keys
    and values."""

    def __init__(self, channels: int, num_heads: int, ffn_dim: int, turn: Rotary) -> None:
        super().__init__()
        self.layer_norm = layer_norm(channels, NORM_EPS)
        self.attention = Attention(channels, num_heads, turn)
        self.final_layer_norm = layer_norm(channels, NORM_EPS)
        self.mlp = FeedForward(channels, ffn_dim)

    def construct(
        self, x: Tensor, places: Tensor, hidden: Tensor, past: Memory | None
    ) -> tuple[Tensor, Memory]:
        found, memory = self.attention(self.layer_norm(x), places, hidden, past)
        x = x + found
        return x + self.mlp(self.final_layer_norm(x)), memory


class Blocks(nn.Cell):
    """(B, L, C) -> the same shape, normalised, and the layers' keys and values."""

    def __init__(
        self, channels: int, depth: int, num_heads: int, ffn_dim: int, turn: Rotary
    ) -> None:
        super().__init__()
        blocks = [Block(channels, num_heads, ffn_dim, turn) for _ in range(depth)]
        self.layers = nn.CellList(blocks)
        self.layernorm = layer_norm(channels, NORM_EPS)

    def construct(self, x: Tensor, places: Tensor, hidden: Tensor, past: Past | None) -> Remembered:
        memories: tuple[Memory, ...] = ()
        for number, layer in enumerate(self.layers):
            x, memory = layer(x, places, hidden, layer_past(past, number))
            memories = (*memories, memory)
        return self.layernorm(x), memories


class Words(nn.Cell):
    """ids (B, L) -> (B, L, C)."""

    def __init__(self, vocab_size: int, channels: int) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, channels, embedding_table=Normal(0.02))

    def construct(self, ids: Tensor) -> Tensor:
        return self.word_embeddings(ids)


class Transformer(nn.Cell):
    """ids (B, L) -> the last block's tokens (B, L, C), normalised."""

    def __init__(self, words: Words, blocks: Blocks, longest: int) -> None:
        super().__init__()
        self.embedding = words
        self.transformer = blocks
        self.order = Order(longest)

    def construct(self, ids: Tensor, counts: Tensor | None, past: Past | None) -> Remembered:
        places, _, hidden = self.order(ids, counts, past)
        return self.transformer(self.embedding(ids), places, hidden, past)


class IFlytekSpark(LanguageModel):
    """ids (B, L) -> logits (B, L, vocab_size), by the words' own embeddings."""

    def __init__(self, transformer: Transformer, cache: tuple[int, int, int]) -> None:
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
        return tied_logits(x, self.transformer.embedding.word_embeddings.embedding_table)


def iflytekspark(
    vocab_size: int = 60000,
    embed_dim: int = 5120,
    depth: int = 40,
    num_heads: int = 40,
    ffn_dim: int = 14336,
    longest: int = 4096,
) -> IFlytekSpark:
    """iFlytekSpark: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    No token sees those after it, so padding belongs at the end of a row.

    Args:
        vocab_size: tokens.
        embed_dim: channels of a token.
        depth: blocks.
        num_heads: heads of each attention.
        ffn_dim: channels inside the feed-forward, of the gate and of the value each.
        longest: tokens of a row, at most.

    Raises:
        ValueError: heads that do not divide.
    """
    if embed_dim % num_heads:
        raise ValueError(f"{num_heads} heads over {embed_dim} channels")
    turn = Rotary(embed_dim // num_heads, longest, THETA)
    blocks = Blocks(embed_dim, depth, num_heads, ffn_dim, turn)
    cache = (2 * depth, num_heads, embed_dim // num_heads)
    return IFlytekSpark(Transformer(Words(vocab_size, embed_dim), blocks, longest), cache)
