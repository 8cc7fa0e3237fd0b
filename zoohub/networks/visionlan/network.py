"""VisionLAN: a line of text, all characters read at once, as MindOCR publishes it.

Source: Wang et al., "From Two to One: A New Scene Text Recognizer with Visual Language Modeling
Network" (2021). Parameter names are those of MindOCR. Shapes: B pictures, N places, T characters,
C channels.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops

from zoohub.networks.layers.residual import BasicBlock, Numerics
from zoohub.networks.layers.sized import SizedNetwork
from zoohub.networks.visionlan.backbone import CHANNELS, ResNet45
from zoohub.networks.visionlan.family import PLACES, sides
from zoohub.networks.visionlan.sequence import Sequence

_STRIDES = (2, 2, 2, 1, 1)


def _block(in_channels: int, channels: int, stride: int) -> nn.Cell:
    return BasicBlock(in_channels, channels, stride, Numerics())


class Occlusion(nn.Cell):
    """Which places one character takes: (B, N, C) and the character's place (B,) -> what is left
    and what it takes, both (B, N, C).

    It makes the publisher's training aware of language, and reading does without.
    """

    def __init__(self, channels: int, hidden: int, places: int, characters: int) -> None:
        super().__init__()
        self.MLM_SequenceModeling_mask = Sequence(channels, hidden, 2, places)
        self.MLM_SequenceModeling_WCL = Sequence(channels, hidden, 1, places)
        self.pos_embedding = nn.Embedding(characters, channels)
        self.w0_linear = nn.Dense(1, places)
        self.wv = nn.Dense(channels, channels)
        self.we = nn.Dense(channels, 1)

    def construct(self, x: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        asked = self.w0_linear(ops.expand_dims(self.pos_embedding(place), -1))
        looked = ops.transpose(asked, (0, 2, 1)) + self.wv(self.MLM_SequenceModeling_mask(x))
        taken = ops.sigmoid(self.we(ops.tanh(looked)))
        left = self.MLM_SequenceModeling_WCL(x * (1.0 - taken))
        return left, self.MLM_SequenceModeling_WCL(x * taken)


class Parallel(nn.Cell):
    """What each character is read from: (B, N, C) -> (B, T, C)."""

    def __init__(self, channels: int, places: int, characters: int) -> None:
        super().__init__()
        self.f0_embedding = nn.Embedding(characters, channels)
        self.w0 = nn.Dense(characters, places)
        self.wv = nn.Dense(channels, channels)
        self.we = nn.Dense(channels, characters)

    def construct(self, x: Tensor) -> Tensor:
        order = ops.transpose(self.f0_embedding.embedding_table, (1, 0))
        looked = ops.tanh(ops.transpose(self.w0(order), (1, 0)) + self.wv(x))
        weights = ops.softmax(ops.transpose(self.we(looked), (0, 2, 1)), 2)
        return ops.matmul(weights, x)


class Prediction(nn.Cell):
    """(B, N, C) -> logits (B, T, num_classes).

    `pp_share` and `w_share` read what `Occlusion` gives.
    """

    def __init__(self, channels: int, places: int, characters: int, num_classes: int) -> None:
        super().__init__()
        self.pp = Parallel(channels, places, characters)
        self.pp_share = Parallel(channels, places, characters)
        self.w_vrm = nn.Dense(channels, num_classes)
        self.w_share = nn.Dense(channels, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        return self.w_vrm(self.pp(x))

    def shared(self, x: Tensor) -> Tensor:
        """The same of one part of the line."""
        return self.w_share(self.pp_share(x))


class Reasoning(nn.Cell):
    """Maps (B, C, H, W) -> logits (B, T, num_classes)."""

    def __init__(
        self, channels: int, hidden: int, depth: int, places: int, steps: int, num_classes: int
    ) -> None:
        super().__init__()
        self.MLM = Occlusion(channels, hidden, places, steps - 1)
        self.SequenceModeling = Sequence(channels, hidden, depth, places)
        self.Prediction = Prediction(channels, places, steps, num_classes)

    def construct(self, maps: Tensor) -> Tensor:
        columns = ops.flatten(ops.transpose(maps, (0, 1, 3, 2)), start_dim=2)
        return self.Prediction(self.SequenceModeling(ops.transpose(columns, (0, 2, 1))))


class Head(nn.Cell):
    """`Reasoning` under the name that files have."""

    def __init__(
        self, channels: int, hidden: int, depth: int, places: int, steps: int, num_classes: int
    ) -> None:
        super().__init__()
        self.MLM_VRM = Reasoning(channels, hidden, depth, places, steps, num_classes)

    def construct(self, maps: Tensor) -> Tensor:
        return self.MLM_VRM(maps)


class VisionLAN(SizedNetwork):
    """See `visionlan`."""

    def __init__(
        self,
        num_classes: int,
        steps: int,
        depth: int,
        intermediate_size: int,
        places: int,
        in_channels: int,
    ) -> None:
        super().__init__("visionlan", sides(places))
        self.backbone = ResNet45(in_channels, _STRIDES, _block)
        self.head = Head(CHANNELS, intermediate_size, depth, places, steps, num_classes)

    def construct(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x))


def visionlan(
    num_classes: int = 37,
    steps: int = 26,
    depth: int = 3,
    intermediate_size: int = 2048,
    places: int = PLACES,
    in_channels: int = 3,
) -> VisionLAN:
    """VisionLAN: float32 (B, in_channels, H, W) -> logits (B, steps, num_classes).

    H · W / 64 is `places`: the publisher's pictures are 64×256 pixels. Class 0 ends the text. The
    same in training mode; the parts that hide a character from the publisher's training are there,
    and neither mode runs them.

    Args:
        num_classes: characters, and the end.
        steps: characters that a text may have, and its end.
        depth: layers of the transformer.
        intermediate_size: of their dense layers.
        places: of the maps that it sees.
        in_channels: channels of the picture.
    """
    return VisionLAN(num_classes, steps, depth, intermediate_size, places, in_channels)
