"""TableMaster: the structure of a table, and where its cells are, as MindOCR publishes it.

Source: Ye et al., "PingAn-VCGroup's Solution for ICDAR 2021 Competition on Scientific Literature
Parsing Task B: Table Recognition to HTML" (2021). Parameter names are those of MindOCR since
October 2024.
"""

from __future__ import annotations

import math

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.layers.dense import layer_norm
from zoohub.networks.layers.sinusoids import sinusoids
from zoohub.networks.master.attention import FeedForward, MultiHead
from zoohub.networks.master.backbone import CHANNELS, ResNet31

_HEADS = 8
_EPS = 1e-7  # MindSpore's own
_PLACES = 5000
_STACKS = 2
_BOX = 4
_HIDDEN_SCORE = -6.55e4
_START, _PADDING = -3, -1  # among the classes


class Normed(nn.Cell):
    """A layer norm under the name that files have."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = layer_norm(channels, _EPS)

    def construct(self, x: Tensor) -> Tensor:
        return self.norm(x)


class Layer(nn.Cell):
    """Tokens (B, N, C) ask each other, then the places, each after a norm and added."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = MultiHead(channels, _HEADS)
        self.src_attn = MultiHead(channels, _HEADS)
        self.feed_forward = FeedForward(channels, hidden, 0.0)
        self.sublayer = nn.CellList([Normed(channels) for _ in range(3)])

    def construct(self, x: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        normed = self.sublayer[0](x)
        own_key, own_value = self.self_attn.remember(normed)
        x = x + self.self_attn(normed, own_key, own_value, bias)
        x = x + self.src_attn(self.sublayer[1](x), key, value)
        return x + self.feed_forward(self.sublayer[2](x))


class Embedding(nn.Cell):
    """Tokens (B, N) -> (B, N, C)."""

    def __init__(self, num_classes: int, channels: int) -> None:
        super().__init__()
        self.lut = nn.Embedding(num_classes, channels)
        self.scale = math.sqrt(channels)

    def construct(self, tokens: Tensor) -> Tensor:
        return self.lut(tokens) * self.scale


class Head(nn.Cell):
    """Maps (B, C, H, W) -> probabilities (B, steps, num_classes) and boxes (B, steps, 4); each
    step's best token is the next's last one."""

    def __init__(self, channels: int, num_classes: int, steps: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.CellList([Layer(channels, hidden) for _ in range(_STACKS)])
        self.cls_layer = Layer(channels, hidden)
        self.bbox_layer = Layer(channels, hidden)
        self.cls_fc = nn.Dense(channels, num_classes)
        self.bbox_fc = nn.SequentialCell([nn.Dense(channels, _BOX), nn.Sigmoid()])
        self.norm = layer_norm(channels, _EPS)
        self.embedding = Embedding(num_classes, channels)
        self.places = Tensor(sinusoids(max(_PLACES, steps), channels))
        self.unseen = Tensor(np.triu(np.full((steps, steps), True), 1))
        self.start, self.padding = num_classes + _START, num_classes + _PADDING
        self.steps = steps

    def construct(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        rows = ops.transpose(ops.flatten(maps, start_dim=2), (0, 2, 1))
        seen = rows + self.places[: rows.shape[1]]
        memories: tuple[tuple[Tensor, Tensor], ...] = ()
        for layer in self.layers:
            memories = (*memories, layer.src_attn.remember(seen))
        of_classes = self.cls_layer.src_attn.remember(seen)
        tokens = ops.zeros((maps.shape[0], 1), mstype.int32) + self.start
        for count in range(1, self.steps):
            x, bias = self.decoded(tokens, count, memories)
            logits = self.classes(x, of_classes, bias)[:, count - 1]
            best = ops.argmax(logits, -1).astype(mstype.int32)
            tokens = ops.concat((tokens, ops.expand_dims(best, 1)), 1)
        x, bias = self.decoded(tokens, self.steps, memories)
        key, value = self.bbox_layer.src_attn.remember(seen)
        boxes = self.bbox_fc(self.norm(self.bbox_layer(x, key, value, bias)))
        return ops.softmax(self.classes(x, of_classes, bias), -1), boxes

    def decoded(
        self, tokens: Tensor, count: int, memories: tuple[tuple[Tensor, Tensor], ...]
    ) -> tuple[Tensor, Tensor]:
        """What `count` tokens (B, count) see, (B, count, C), and the bias of their scores."""
        rows = ops.expand_dims(ops.expand_dims(tokens == self.padding, 1), -1)
        hidden = ops.logical_or(rows, self.unseen[:count, :count])
        bias = hidden.astype(mstype.float32) * _HIDDEN_SCORE
        x = self.embedding(tokens) + self.places[:count]
        for place, layer in enumerate(self.layers):
            key, value = memories[place]
            x = layer(x, key, value, bias)
        return x, bias

    def classes(self, x: Tensor, memory: tuple[Tensor, Tensor], bias: Tensor) -> Tensor:
        """Logits (B, N, num_classes) of the tokens after (B, N, C)."""
        return self.cls_fc(self.norm(self.cls_layer(x, memory[0], memory[1], bias)))


class TableMaster(nn.Cell):
    """See `table_master`."""

    def __init__(
        self, num_classes: int, steps: int, intermediate_size: int, in_channels: int
    ) -> None:
        super().__init__()
        self.backbone = ResNet31(in_channels, context=True, square=True, half_precision=True)
        self.head = Head(CHANNELS, num_classes, steps, intermediate_size)

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.head(self.backbone(x))


def table_master(
    num_classes: int = 43,
    steps: int = 501,
    intermediate_size: int = 2024,
    in_channels: int = 3,
) -> TableMaster:
    """TableMaster: float32 (B, in_channels, H, W) -> probabilities of tokens (B, steps,
    num_classes) and their boxes (B, steps, 4).

    The publisher's pictures are 480×480 pixels. A box is the centre's x and y, the width and the
    height, as shares of the picture. The last three classes are the start, the end and padding. The
    tokens are those it reads itself, in training mode too: every step looks at all before it
    again, so that 501 take minutes on a CPU.

    Args:
        num_classes: tokens of a table's structure, and the three.
        steps: tokens that a table may have, and its end.
        intermediate_size: of the layers' dense layers.
        in_channels: channels of the picture.
    """
    return TableMaster(num_classes, steps, intermediate_size, in_channels)
