"""What reads a table's tokens from a picture's maps. Shapes: B pictures of M places, N tokens that
ask after P that are remembered, C channels, H heads of D channels.

Source: Ye et al., "PingAn-VCGroup's Solution for ICDAR 2021 Competition on Scientific Literature
Parsing Task B: Table Recognition to HTML" (2021). Parameter names are those of MindOCR since
October 2024.
"""

from __future__ import annotations

import math

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.layers.causal import ROUNDED_TO, Memory, Past, layer_past, recalled
from zoohub.networks.layers.dense import layer_norm
from zoohub.networks.layers.sinusoids import sinusoids
from zoohub.networks.master.attention import FeedForward, MultiHead
from zoohub.outputs.table_tokens import PADDING, START

_HEADS = 8
_EPS = 1e-7  # MindSpore's own
_PLACES = 5000
_BOX = 4
_LAST_LAYERS = 2  # of the tokens, of the boxes
# Added to a score, it leaves nothing of it: padding, from which all is hidden, asks all alike.
_HIDDEN, _ABSENT = -1e30, -3e30


class Normed(nn.Cell):
    """A layer norm under the name that files have."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = layer_norm(channels, _EPS)

    def construct(self, x: Tensor) -> Tensor:
        return self.norm(x)


class Layer(nn.Cell):
    """Tokens (B, N, C) ask each other, then the places, each after a norm and added; with the keys
    and values (B, H, N, D) of the tokens."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = MultiHead(channels, _HEADS)
        self.src_attn = MultiHead(channels, _HEADS)
        self.feed_forward = FeedForward(channels, hidden, 0.0)
        self.sublayer = nn.CellList([Normed(channels) for _ in range(3)])

    def construct(
        self, x: Tensor, seen: Memory, bias: Tensor, past: Memory | None = None
    ) -> tuple[Tensor, Memory]:
        normed = self.sublayer[0](x)
        own_key, own_value = self.self_attn.remember(normed)
        key, value = recalled(own_key, own_value, past)
        x = x + self.self_attn(normed, key, value, bias)
        x = x + self.src_attn(self.sublayer[1](x), seen[0], seen[1])
        return x + self.feed_forward(self.sublayer[2](x)), (own_key, own_value)


class Embedding(nn.Cell):
    """Tokens (B, N) -> (B, N, C)."""

    def __init__(self, num_classes: int, channels: int) -> None:
        super().__init__()
        self.lut = nn.Embedding(num_classes, channels)
        self.scale = math.sqrt(channels)

    def construct(self, tokens: Tensor) -> Tensor:
        return self.lut(tokens) * self.scale


class Head(nn.Cell):
    """Maps (B, C, h, w) -> probabilities (B, steps, num_classes) and boxes (B, steps, 4); each
    step's best token is the next's last one.

    Every step reads all tokens again, as MindOCR does: what padding sees changes with each. `next`
    reads a token once, and differs behind padding alone, which no table has before its end.
    """

    def __init__(
        self, channels: int, num_classes: int, steps: int, stacks: int, hidden: int
    ) -> None:
        super().__init__()
        self.layers = nn.CellList([Layer(channels, hidden) for _ in range(stacks)])
        self.cls_layer = Layer(channels, hidden)
        self.bbox_layer = Layer(channels, hidden)
        self.cls_fc = nn.Dense(channels, num_classes)
        self.bbox_fc = nn.SequentialCell([nn.Dense(channels, _BOX), nn.Sigmoid()])
        self.norm = layer_norm(channels, _EPS)
        self.embedding = Embedding(num_classes, channels)
        # In float32, as MindOCR computes them.
        self.places = Tensor(sinusoids(max(_PLACES, steps), channels, np.float32))
        self.numbers = Tensor(np.arange(steps + ROUNDED_TO, dtype=np.int32))
        self.unseen = Tensor(np.triu(np.full((steps, steps), True), 1))
        self.start, self.padding = num_classes + START, num_classes + PADDING
        self.steps, self.stacks = steps, stacks
        # How many keys and values a token leaves, of how many heads, of how many channels.
        self.cache = (2 * (stacks + _LAST_LAYERS), _HEADS, channels // _HEADS)

    def construct(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.remember(maps)
        tokens = ops.zeros((maps.shape[0], 1), mstype.int32) + self.start
        for count in range(1, self.steps):
            x, bias = self.decoded(tokens, count, seen)
            x, _ = self.cls_layer(x, layer_past(seen, self.stacks), bias)
            logits = self.cls_fc(self.norm(x[:, count - 1]))
            best = ops.argmax(logits, -1).astype(mstype.int32)
            tokens = ops.concat((tokens, ops.expand_dims(best, 1)), 1)
        x, bias = self.decoded(tokens, self.steps, seen)
        probabilities, boxes, _ = self.given(x, seen, bias)
        return probabilities, boxes

    def remember(self, maps: Tensor) -> Past:
        """Keys and values (B, H, M, D) of maps (B, C, h, w), for each layer: the stacked ones, that
        of the classes, that of the boxes."""
        rows = ops.transpose(ops.flatten(maps, start_dim=2), (0, 2, 1))
        rows = rows + self.places[: rows.shape[1]]
        memories: Past = ()
        for layer in self.layers:
            memories = (*memories, *layer.src_attn.remember(rows))
        memories = (*memories, *self.cls_layer.src_attn.remember(rows))
        return (*memories, *self.bbox_layer.src_attn.remember(rows))

    def decoded(self, tokens: Tensor, count: int, seen: Past) -> tuple[Tensor, Tensor]:
        """What `count` tokens (B, count) become in the stacked layers, (B, count, C), and the bias
        of their scores."""
        rows = ops.expand_dims(ops.expand_dims(tokens == self.padding, 1), -1)
        hidden = ops.logical_or(rows, self.unseen[:count, :count])
        bias = hidden.astype(mstype.float32) * _HIDDEN
        x = self.embedding(tokens) + self.places[:count]
        for number, layer in enumerate(self.layers):
            x, _ = layer(x, layer_past(seen, number), bias)
        return x, bias

    def given(
        self, x: Tensor, seen: Past, bias: Tensor, past: Past | None = None
    ) -> tuple[Tensor, Tensor, Past]:
        """Probabilities (B, N, num_classes) and boxes (B, N, 4) of the tokens after (B, N, C), with
        the keys and values that the last two layers add."""
        classes, of_classes = self.cls_layer(
            x, layer_past(seen, self.stacks), bias, layer_past(past, self.stacks)
        )
        boxes, of_boxes = self.bbox_layer(
            x, layer_past(seen, self.stacks + 1), bias, layer_past(past, self.stacks + 1)
        )
        probabilities = ops.softmax(self.cls_fc(self.norm(classes)), -1)
        return probabilities, self.bbox_fc(self.norm(boxes)), (*of_classes, *of_boxes)

    def next(
        self, tokens: Tensor, counts: Tensor, past: Past, seen: Past
    ) -> tuple[Tensor, Tensor, Past]:
        """As `given`, of one token of each row, (B, 1), after the first `counts` (B,) of its past
        (B, H, P, D); with what all layers add."""
        before = self.numbers[: past[0].shape[-2]]
        counts = ops.expand_dims(counts, -1)
        absent = (before >= counts).astype(mstype.float32) * _ABSENT
        alone = (tokens == self.padding).astype(mstype.float32) * _HIDDEN
        own = ops.zeros_like(alone)
        bias = ops.expand_dims(ops.expand_dims(ops.concat((absent, own), -1) + alone, 1), 1)
        x = self.embedding(tokens) + ops.gather(self.places, counts, 0)
        added: Past = ()
        for number, layer in enumerate(self.layers):
            x, memory = layer(x, layer_past(seen, number), bias, layer_past(past, number))
            added = (*added, *memory)
        probabilities, boxes, last = self.given(x, seen, bias, past)
        return probabilities, boxes, (*added, *last)
