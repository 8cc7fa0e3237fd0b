"""DAM, which scores how well a response goes on with a dialogue.

Source: Zhou et al., "Multi-Turn Response Selection for Chatbots with Deep Attention Matching
Network" (2018). Parameter names are those of the models repository (research/nlp/dam). Shapes: B
dialogues of T turns, L words, C channels of a word, S representations of a text.
"""

from __future__ import annotations

import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.initializer import Normal, initializer

_MASKED = -(2.0**32) + 1.0
_NORM_EPS = 1e-6


class OneBiasDense(nn.Cell):
    """A dense layer with one number as the bias of all: (…, C) -> (…, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        init = Normal(channels**-0.5)
        self.weight = Parameter(initializer(init, (channels, channels)))
        self.bias = Parameter(initializer("zeros", (1,)))

    def construct(self, x: Tensor) -> Tensor:
        return ops.matmul(x, ops.transpose(self.weight, (1, 0))) + self.bias


class ScaledNorm(nn.Cell):
    """A layer norm over the last axis, under the publisher's names."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = Parameter(initializer("ones", (channels,)))
        self.bias = Parameter(initializer("zeros", (channels,)))

    def construct(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keep_dims=True)
        variance = ops.square(centred).mean(-1, keep_dims=True)
        return self.scale * (centred * ops.rsqrt(variance + _NORM_EPS)) + self.bias


class FeedForward(nn.Cell):
    """Two dense layers: (N, L, C) -> the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = OneBiasDense(channels)
        self.fc2 = OneBiasDense(channels)

    def construct(self, x: Tensor) -> Tensor:
        return self.fc2(ops.relu(self.fc1(x)))


class AttentiveBlock(nn.Cell):
    """Texts asking (N, L, C), texts asked (N, L, C), which words count of both (N, L) -> (N, L, C).

    There are no weights in the attention. A word that does not count sees all alike.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ffn = FeedForward(channels)
        self.layer_norm1 = ScaledNorm(channels)
        self.layer_norm2 = ScaledNorm(channels)
        self.scale = float(np.sqrt(channels))

    def construct(self, asking: Tensor, asked: Tensor, own: Tensor, others: Tensor) -> Tensor:
        mask = ops.expand_dims(own, 2) * ops.expand_dims(others, 1)
        found = ops.bmm(asking, ops.transpose(asked, (0, 2, 1))) / self.scale
        weights = ops.softmax(mask * found + (1.0 - mask) * _MASKED, -1)
        x = self.layer_norm1(ops.bmm(weights, asked) + asking)
        return self.layer_norm2(self.ffn(x) + x)


class Matching(nn.Cell):
    """How alike words are (B, S, T, L, L) -> maps (B, last_channels, T / 9, L / 9, L / 9), rounded
    up."""

    def __init__(self, channels: int, first_channels: int, last_channels: int) -> None:
        super().__init__()
        self.conv_0 = nn.Conv3d(channels, first_channels, 3, pad_mode="same", has_bias=True)
        self.conv_1 = nn.Conv3d(first_channels, last_channels, 3, pad_mode="same", has_bias=True)
        self.pool = ops.MaxPool3D(kernel_size=3, strides=3, pad_mode="same")

    def construct(self, x: Tensor) -> Tensor:
        x = self.pool(ops.elu(self.conv_0(x)))
        return self.pool(ops.elu(self.conv_1(x)))


class DAM(nn.Cell):
    """turns int32 (B, T, L), their lengths (B, T), response (B, L), its length (B,) -> (B, 1)."""

    def __init__(
        self,
        vocab_size: int,
        embed_dim: int,
        depth: int,
        turns: int,
        words: int,
        first_channels: int,
        last_channels: int,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.self_blocks = _blocks(depth, embed_dim)
        self.t_att_r_blocks = _blocks(depth + 1, embed_dim)
        self.r_att_t_blocks = _blocks(depth + 1, embed_dim)
        self.cnn_3d = Matching(2 * (depth + 1), first_channels, last_channels)
        left = [-(-side // 9) for side in (turns, words, words)]
        self.out_fc = nn.Dense(last_channels * int(np.prod(left)), 1)
        self.scale = float(np.sqrt(embed_dim))
        self.places = Tensor(np.arange(words, dtype=np.int32))

    def construct(
        self, turns: Tensor, turn_lengths: Tensor, response: Tensor, response_lengths: Tensor
    ) -> Tensor:
        batch, count, words = turns.shape
        own = self.counts(ops.reshape(turn_lengths, (-1,)))
        texts = self.states(ops.reshape(turns, (-1, words)), own)
        others = _for_each(self.counts(response_lengths), count)
        answers = [
            _for_each(one, count) for one in self.states(response, self.counts(response_lengths))
        ]
        asked: tuple[Tensor, ...] = ()
        asking: tuple[Tensor, ...] = ()
        for number in range(len(self.t_att_r_blocks)):
            text, answer = texts[number], answers[number]
            asked += (self.t_att_r_blocks[number](text, answer, own, others),)
            asking += (self.r_att_t_blocks[number](answer, text, others, own),)
        left = ops.stack((*asked, *texts), 1)
        right = ops.stack((*asking, *answers), 1)
        alike = ops.matmul(left, ops.transpose(right, (0, 1, 3, 2))) / self.scale
        alike = ops.reshape(alike, (batch, count, -1, words, words))
        found = self.cnn_3d(ops.transpose(alike, (0, 2, 1, 3, 4)))
        return self.out_fc(ops.reshape(found, (batch, -1)))

    def counts(self, lengths: Tensor) -> Tensor:
        """Which words of each text count: lengths (N,) -> 1.0 or 0.0 (N, L)."""
        return (self.places < ops.expand_dims(lengths, 1)).astype(ms.float32)

    def states(self, ids: Tensor, own: Tensor) -> tuple[Tensor, ...]:
        """The words of texts (N, L), and what each block makes of them: depth + 1 of (N, L, C)."""
        found: tuple[Tensor, ...] = (self.embedding(ids),)
        for block in self.self_blocks:
            found += (block(found[-1], found[-1], own, own),)
        return found


def _blocks(count: int, channels: int) -> nn.CellList:
    return nn.CellList([AttentiveBlock(channels) for _ in range(count)])


def _for_each(x: Tensor, count: int) -> Tensor:
    """A row for each turn of its dialogue: (B, …) -> (B · T, …)."""
    return ops.repeat_interleave(x, count, 0)


def dam(
    vocab_size: int = 434513,
    embed_dim: int = 200,
    depth: int = 5,
    turns: int = 9,
    words: int = 50,
    first_channels: int = 32,
    last_channels: int = 16,
) -> DAM:
    """DAM: int32 `turns` (B, T, L), `turn_lengths` (B, T), `response` (B, L), `response_lengths`
    (B,) -> the response's score (B, 1), float32, before a sigmoid.

    Args:
        vocab_size: words and padding: 434513 (Ubuntu), 172131 (Douban).
        embed_dim: channels of a word.
        depth: blocks over each text.
        turns: turns of a dialogue, filled up with empty ones.
        words: words of a turn or a response, filled up.
        first_channels: maps of the first convolution: 32 (Ubuntu), 16 (Douban).
        last_channels: maps of the last one.
    """
    return DAM(vocab_size, embed_dim, depth, turns, words, first_channels, last_channels)
