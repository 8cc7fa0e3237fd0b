"""MASTER: a line of text, read by a transformer, as MindOCR publishes it.

Source: Lu et al., "MASTER: Multi-Aspect Non-local Network for Scene Text Recognition" (2019).
Parameter names are those of MindOCR.
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
_EPS = 1e-6
_PLACES = 5000
_DROPOUT = 0.2  # of the encoder
_NEVER = float(np.finfo(np.float32).min)


class Encoder(nn.Cell):
    """(B, C, H, W) -> the places told where they are, (B, H · W, C), and with `encoded` what they
    see in each other.

    MindOCR's files hold the encoder in any case; it reads without.
    """

    def __init__(self, channels: int, stacks: int, hidden: int, encoded: bool) -> None:
        super().__init__()
        self.attention = nn.CellList([MultiHead(channels, _HEADS) for _ in range(stacks)])
        self.position_feed_forward = nn.CellList(
            [FeedForward(channels, hidden, _DROPOUT) for _ in range(stacks)]
        )
        self.layer_norm = layer_norm(channels, _EPS)
        self.dropout = nn.Dropout(p=_DROPOUT)
        self.places = Tensor(sinusoids(_PLACES, channels))
        self.stacks, self.encoded = stacks, encoded

    def construct(self, x: Tensor) -> Tensor:
        x = ops.transpose(ops.flatten(x, start_dim=2), (0, 2, 1))
        x = self.dropout(x + self.places[: x.shape[1]])
        if not self.encoded:
            return x
        for stack in range(self.stacks):
            normed = self.layer_norm(x)
            key, value = self.attention[stack].remember(normed)
            x = x + self.dropout(self.attention[stack](normed, key, value))
            x = x + self.dropout(self.position_feed_forward[stack](self.layer_norm(x)))
        return self.layer_norm(x)


class Decoder(nn.Cell):
    """Places (B, M, C) -> probabilities (B, steps, num_classes); each step's best is the next's
    last character, and class 0 the first's.

    MindOCR asks the first of its stacked layers again and again; the others are in its files, and
    never asked.
    """

    def __init__(
        self, channels: int, num_classes: int, steps: int, stacks: int, hidden: int, padding: int
    ) -> None:
        super().__init__()
        self.attention = nn.CellList([MultiHead(channels, _HEADS) for _ in range(stacks)])
        self.source_attention = nn.CellList([MultiHead(channels, _HEADS) for _ in range(stacks)])
        self.position_feed_forward = nn.CellList(
            [FeedForward(channels, hidden, 0.0) for _ in range(stacks)]
        )
        self.layer_norm = layer_norm(channels, _EPS)
        self.embedding = nn.Embedding(num_classes, channels)
        self.generator = nn.Dense(channels, num_classes)
        self.places = Tensor(sinusoids(steps, channels))
        self.unseen = Tensor(np.triu(np.full((steps, steps), True), 1))
        self.never = Tensor(_NEVER, mstype.float32)
        self.scale = math.sqrt(channels)
        self.steps, self.stacks, self.padding = steps, stacks, padding

    def remember(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, heads, M, C / heads) of the places."""
        key, value = self.source_attention[0].remember(seen)
        return key, value

    def construct(self, seen: Tensor) -> Tensor:
        key, value = self.remember(seen)
        characters = ops.zeros((seen.shape[0], 1), mstype.int32)
        found: tuple[Tensor, ...] = ()
        for _ in range(self.steps):
            logits = self.next(characters, key, value)
            found += (logits,)
            best = ops.argmax(logits, -1).astype(mstype.int32)
            characters = ops.concat((characters, ops.expand_dims(best, 1)), 1)
        return ops.softmax(ops.stack(found, 1), -1)

    def next(self, characters: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Logits (B, num_classes) of what comes after the characters (B, N), by keys and values of
        the places."""
        count = characters.shape[1]
        # Padding asks all the others alike, those after it too.
        rows = ops.expand_dims(ops.expand_dims(characters == self.padding, 1), -1)
        hidden = ops.logical_or(rows, self.unseen[:count, :count])
        bias = ops.select(hidden, self.never, ops.zeros(hidden.shape, mstype.float32))
        x = self.embedding(characters) * self.scale + self.places[:count]
        for _ in range(self.stacks):
            normed = self.layer_norm(x)
            own_key, own_value = self.attention[0].remember(normed)
            x = x + self.attention[0](normed, own_key, own_value, bias)
            x = x + self.source_attention[0](self.layer_norm(x), key, value)
            x = x + self.position_feed_forward[0](self.layer_norm(x))
        return self.generator(self.layer_norm(x[:, -1]))


class MASTER(nn.Cell):
    """See `master`."""

    def __init__(
        self,
        num_classes: int,
        steps: int,
        stacks: int,
        intermediate_size: int,
        padding: int,
        encoded: bool,
        in_channels: int,
    ) -> None:
        super().__init__()
        self.backbone = ResNet31(in_channels, context=True)
        self.neck = Encoder(CHANNELS, stacks, intermediate_size, encoded)
        self.head = Decoder(CHANNELS, num_classes, steps, stacks, intermediate_size, padding)

    def construct(self, x: Tensor) -> Tensor:
        return self.head(self.neck(self.backbone(x)))


def master(
    num_classes: int = 94,
    steps: int = 31,
    stacks: int = 3,
    intermediate_size: int = 2048,
    padding: int = 2,
    encoded: bool = False,
    in_channels: int = 3,
) -> MASTER:
    """MASTER: float32 (B, in_channels, H, W) -> probabilities (B, steps, num_classes).

    The publisher's pictures are 48×160 pixels. Class 0 stands before the first character, class 1
    for the end of the text. The characters are those it reads itself, in training mode too.

    Args:
        num_classes: characters, and those that stand for none.
        steps: characters that a text may have, and its end.
        stacks: layers of the encoder and of the decoder.
        intermediate_size: of their dense layers.
        padding: the class that stands for none behind the end.
        encoded: the map's places see each other before they are asked: MindOCR leaves that out.
        in_channels: channels of the picture.
    """
    return MASTER(num_classes, steps, stacks, intermediate_size, padding, encoded, in_channels)
