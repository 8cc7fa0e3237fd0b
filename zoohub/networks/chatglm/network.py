"""ChatGLM, the first: a text is read in both directions, and its answer is written after it.

Source: Du et al., "GLM: General Language Model Pretraining with Autoregressive Blank Infilling"
(2022), and THUDM's ChatGLM-6B, whose parameter names these are as MindFormers and MindNLP have
them. Shapes: B rows of L tokens, H heads of D channels, C channels of a token.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype
from mindspore.common.initializer import Normal

from zoohub.networks.layers.activations import gelu
from zoohub.networks.layers.attention import merge_heads
from zoohub.networks.layers.causal import Places, attend_past, future
from zoohub.networks.layers.dense import dense, layer_norm
from zoohub.networks.layers.rotary import Rotary

NORM_EPS = 1e-5


class CoarseRotary(Rotary):
    """`Rotary` by angles in float16, as MindFormers has them; MindNLP rounds their sines alone."""

    def __init__(self, channels: int, longest: int) -> None:
        super().__init__(channels, longest)
        steps = np.arange(0, channels, 2, dtype=np.float32) / np.float32(channels)
        rates = (1.0 / 10000.0**steps).astype(np.float16)
        angles = np.outer(np.arange(longest, dtype=np.float16), rates)
        both = np.concatenate((angles, angles), axis=1)
        self.cos = Tensor(np.cos(both).astype(np.float32))
        self.sin = Tensor(np.sin(both).astype(np.float32))


class TwoPlaces(nn.Cell):
    """ids (B, L) -> where tokens stand, int32 (B, L) twice, and what is hidden from each, bool
    (B, 1, L, L).

    A row is a text, the mark `mask_id` of what is to be filled in, `start_id`, and the filling. Up
    to `start_id` all see each other; it and what follows see what is before them. The first place
    counts the text and stands still at the mark; the second is 0 there, and counts from `start_id`.
    """

    def __init__(self, longest: int, mask_id: int, start_id: int) -> None:
        super().__init__()
        self.places = Places(longest)
        self.mask_id, self.start_id = mask_id, start_id

    def construct(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        numbers = self.places(ids.shape[1])
        mark, start = self.first(ids, self.mask_id), self.first(ids, self.start_id)
        row = ops.expand_dims(numbers, 0)
        before = row < start
        places = ops.select(before, ops.broadcast_to(row, ids.shape), mark + ops.zeros_like(ids))
        blocks = ops.maximum(row - start + 1, 0)
        text = ops.expand_dims(ops.expand_dims(before, 1), 1)
        return places, blocks, ops.logical_and(future(numbers), ops.logical_not(text))

    def first(self, ids: Tensor, id: int) -> Tensor:
        """The place of the first such token of each row, int32 (B, 1)."""
        found = ops.argmax(ops.equal(ids, id).astype(mstype.float32), 1, True)
        return found.astype(mstype.int32)


class Attention(nn.Cell):
    """Attention whose heads' first half knows the first place, the second the other: (B, L, C)."""

    def __init__(self, channels: int, num_heads: int, turn: Rotary) -> None:
        super().__init__()
        self.query_key_value = dense(channels, 3 * channels)
        self.dense = dense(channels, channels)
        self.num_heads = num_heads
        self.width = channels // num_heads
        self.scale = self.width**-0.5
        self.turn = turn

    def construct(self, x: Tensor, places: Tensor, blocks: Tensor, hidden: Tensor) -> Tensor:
        rows, length, _ = x.shape
        joint = ops.reshape(
            self.query_key_value(x), (rows, length, self.num_heads, 3 * self.width)
        )  # each head's query, key and value stand together
        query, key, value = ops.split(ops.transpose(joint, (0, 2, 1, 3)), self.width, -1)
        query = self.turned(query, places, blocks)
        key = self.turned(key, places, blocks)
        return self.dense(merge_heads(attend_past(query, key, value, self.scale, hidden)))

    def turned(self, x: Tensor, places: Tensor, blocks: Tensor) -> Tensor:
        """Queries or keys (B, H, L, D), rotated by both places."""
        first, second = ops.split(x, self.width // 2, -1)
        return ops.concat((self.turn(first, places), self.turn(second, blocks)), -1)


class FeedForward(nn.Cell):
    """Two dense layers: (B, L, C) -> the same shape."""

    def __init__(self, channels: int, ffn_dim: int) -> None:
        super().__init__()
        self.dense_h_to_4h = dense(channels, ffn_dim)
        self.dense_4h_to_h = dense(ffn_dim, channels)
        self.activation = gelu(exact=False)

    def construct(self, x: Tensor) -> Tensor:
        return self.dense_4h_to_h(self.activation(self.dense_h_to_4h(x)))


class Block(nn.Cell):
    """Attention and feed-forward, each added to `weight` times what it is given: (B, L, C)."""

    def __init__(self, channels: int, attention: Attention, ffn_dim: int, weight: float) -> None:
        super().__init__()
        self.input_layernorm = layer_norm(channels, NORM_EPS)
        self.attention = attention
        self.post_attention_layernorm = layer_norm(channels, NORM_EPS)
        self.mlp = FeedForward(channels, ffn_dim)
        self.weight = weight

    def construct(self, x: Tensor, places: Tensor, blocks: Tensor, hidden: Tensor) -> Tensor:
        x = self.input_layernorm(x)
        x = self.post_attention_layernorm(
            self.weight * x + self.attention(x, places, blocks, hidden)
        )
        return self.weight * x + self.mlp(x)


class Transformer(nn.Cell):
    """ids (B, L) -> the last block's tokens (B, L, C), normalised."""

    def __init__(self, vocab_size: int, channels: int, blocks: list[Block], order: nn.Cell) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, channels, embedding_table=Normal(0.02))
        self.layers = nn.CellList(blocks)
        self.final_layernorm = layer_norm(channels, NORM_EPS)
        self.order = order

    def construct(self, ids: Tensor) -> Tensor:
        places, blocks, hidden = self.order(ids)
        x = self.word_embeddings(ids)
        for layer in self.layers:
            x = layer(x, places, blocks, hidden)
        return self.final_layernorm(x)


class ChatGLM(nn.Cell):
    """ids (B, L) -> logits (B, L, vocab_size)."""

    def __init__(self, transformer: Transformer, vocab_size: int, channels: int) -> None:
        super().__init__()
        self.transformer = transformer
        self.lm_head = dense(channels, vocab_size, bias=False)

    def construct(self, ids: Tensor) -> Tensor:
        return self.lm_head(self.transformer(ids))


def chatglm(
    vocab_size: int = 150528,
    embed_dim: int = 4096,
    depth: int = 28,
    num_heads: int = 32,
    ffn_dim: int = 16384,
    longest: int = 2048,
    mask_id: int = 150001,
    start_id: int = 150004,
) -> ChatGLM:
    """ChatGLM-6B: ids int32 (B, L) -> logits float32 (B, L, vocab_size), of each next token.

    Each row has `mask_id` and, after it, `start_id`. What stands before `start_id` sees itself in
    both directions; no token from there on sees those after it, so padding belongs at the end.

    Args:
        vocab_size: tokens: 150528 (MindNLP), 130528 (MindFormers).
        embed_dim: channels of a token.
        depth: blocks.
        num_heads: heads.
        ffn_dim: channels inside the feed-forward.
        longest: tokens of a row, at most.
        mask_id: the token that stands for the answer, "[gMASK]": 150001, or 130001.
        start_id: the token that the answer begins with: 150004, or 130004.

    Raises:
        ValueError: heads that do not divide, or whose channels are no multiple of four.
    """
    if embed_dim % num_heads or embed_dim // num_heads % 4:
        raise ValueError(
            f"{embed_dim} channels are not {num_heads} heads of a multiple of four each"
        )
    turn = CoarseRotary(embed_dim // num_heads // 2, longest + 1)
    blocks = [
        Block(embed_dim, Attention(embed_dim, num_heads, turn), ffn_dim, float(np.sqrt(2 * depth)))
        for _ in range(depth)
    ]
    order = TwoPlaces(longest, mask_id, start_id)
    return ChatGLM(Transformer(vocab_size, embed_dim, blocks, order), vocab_size, embed_dim)
