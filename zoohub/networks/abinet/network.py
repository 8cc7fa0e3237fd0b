"""ABINet: a line of text, seen, spelt and seen again, as MindOCR publishes it.

Source: Fang et al., "Read Like Humans: Autonomous, Bidirectional and Iterative Language Modeling
for Scene Text Recognition" (2021). Parameter names are those of MindOCR. Shapes: B pictures, T
characters, C channels.
"""

from __future__ import annotations

import numpy as np
from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.abinet.backbone import Places, Vision
from zoohub.networks.abinet.family import PLACES, sides
from zoohub.networks.abinet.transformer import DecoderBlock
from zoohub.networks.layers.sized import SizedNetwork
from zoohub.networks.visionlan.backbone import CHANNELS

_HIDDEN_SCORE = -10000.0
_SHORTEST = 2


def text_lengths(logits: Tensor) -> Tensor:
    """Characters of each text, its end with them: (B, T, classes) -> whole numbers (B,).

    Class 0 ends a text; one without an end is T long.
    """
    count = logits.shape[1]
    ends = (ops.argmax(logits, -1) == 0).astype(mstype.float32)
    # How many places are before the first end: those that no end is at or before.
    before = (ops.cumsum(ends, 1) == 0).astype(mstype.float32).sum(1)
    return ops.minimum(before + 1.0, float(count))


class Blocks(nn.Cell):
    """Queries (B, T, C) ask tokens (B, T, C), block after block."""

    def __init__(self, depth: int, hidden: int) -> None:
        super().__init__()
        self.blocks = nn.CellList([DecoderBlock(CHANNELS, hidden) for _ in range(depth)])

    def construct(self, x: Tensor, seen: Tensor, bias: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, seen, bias)
        return x


class Language(nn.Cell):
    """Probabilities (B, T, num_classes), lengths (B,) -> what each character would be by those
    around it: features (B, T, C).

    `cls` spells them out for the publisher's training.
    """

    def __init__(self, num_classes: int, steps: int, depth: int, hidden: int) -> None:
        super().__init__()
        self.proj = nn.Dense(num_classes, CHANNELS, has_bias=False)
        self.token_encoder = Places(steps, CHANNELS)
        self.pos_encoder = Places(steps, CHANNELS)
        self.model = Blocks(depth, hidden)
        self.cls = nn.Dense(CHANNELS, num_classes)
        self.places = Tensor(np.arange(steps, dtype=np.float32))
        self.own = Tensor(np.eye(steps, dtype=np.float32)[None])

    def construct(self, characters: Tensor, lengths: Tensor) -> Tensor:
        seen = self.proj(ops.stop_gradient(characters)) + self.token_encoder()
        beyond = (self.places >= ops.expand_dims(lengths, 1)).astype(mstype.float32)
        hidden = ops.maximum(ops.expand_dims(beyond, 1), self.own)
        bias = ops.expand_dims(hidden * _HIDDEN_SCORE, 1)
        asking = ops.expand_dims(self.pos_encoder(), 0) + ops.zeros_like(seen)
        return self.model(asking, seen, bias)


class Alignment(nn.Cell):
    """Features of language and of vision (B, T, C) -> logits (B, T, num_classes)."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.w_att = nn.Dense(2 * CHANNELS, CHANNELS)
        self.cls = nn.Dense(CHANNELS, num_classes)

    def construct(self, spelt: Tensor, seen: Tensor) -> Tensor:
        gate = ops.sigmoid(self.w_att(ops.concat((spelt, seen), 2)))
        return self.cls(gate * seen + (1.0 - gate) * spelt)


class Backbone(nn.Cell):
    """`Vision` under the name that files have."""

    def __init__(self, vision: Vision) -> None:
        super().__init__()
        self.vision = vision

    def construct(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.vision(x)


class Head(nn.Cell):
    """Features (B, T, C) and logits of vision -> logits (B, T, num_classes), spelt anew
    `rounds` times."""

    def __init__(self, num_classes: int, steps: int, depth: int, hidden: int, rounds: int) -> None:
        super().__init__()
        self.alignment = Alignment(num_classes)
        self.language = Language(num_classes, steps, depth, hidden)
        self.steps, self.rounds = steps, rounds

    def construct(self, seen: Tensor, logits: Tensor) -> Tensor:
        for _ in range(self.rounds):
            lengths = ops.clamp(text_lengths(logits), float(_SHORTEST), float(self.steps))
            spelt = self.language(ops.softmax(logits, -1), lengths)
            logits = self.alignment(spelt, seen)
        return logits


class ABINet(SizedNetwork):
    """See `abinet`."""

    def __init__(
        self,
        num_classes: int,
        steps: int,
        depth: int,
        language_depth: int,
        intermediate_size: int,
        places: int,
        rounds: int,
        in_channels: int,
    ) -> None:
        super().__init__("abinet", sides(places))
        vision = Vision(in_channels, num_classes, steps, depth, intermediate_size, places)
        self.backbone = Backbone(vision)
        self.head = Head(num_classes, steps, language_depth, intermediate_size, rounds)

    def construct(self, x: Tensor) -> Tensor:
        seen, logits = self.backbone(x)
        return self.head(seen, logits)


def abinet(
    num_classes: int = 37,
    steps: int = 26,
    depth: int = 3,
    language_depth: int = 4,
    intermediate_size: int = 2048,
    places: int = PLACES,
    rounds: int = 3,
    in_channels: int = 3,
) -> ABINet:
    """ABINet: float32 (B, in_channels, H, W) -> logits (B, steps, num_classes).

    H · W / 16 is `places`, and W a multiple of 64, H of 32: the publisher's pictures are 32×128
    pixels. Class 0 ends the text. The same in training mode. MindOCR computes the transformers in
    half precision, zoohub in single.

    Args:
        num_classes: characters, and the end.
        steps: characters that a text may have, and its end.
        depth: blocks of the vision's transformer.
        language_depth: blocks of the language's.
        intermediate_size: of their dense layers.
        places: of the maps that the vision sees.
        rounds: how often the text is spelt anew.
        in_channels: channels of the picture.
    """
    return ABINet(
        num_classes, steps, depth, language_depth, intermediate_size, places, rounds, in_channels
    )
