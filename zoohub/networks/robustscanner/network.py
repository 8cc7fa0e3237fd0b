"""RobustScanner: a line of text, read by what is seen and by where it stands, as MindOCR has it.

Source: Yue et al., "RobustScanner: Dynamically Enhancing Positional Clues for Robust Text
Recognition" (2020). Parameter names are those of MindOCR.
"""

from __future__ import annotations

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.layers.conv import conv2d
from zoohub.networks.master.backbone import CHANNELS, ResNet31

_LAYERS = 2


class Reduce(nn.Cell):
    """A 1×1 convolution: (B, channels, H, W) -> (B, hidden_size, H, W)."""

    def __init__(self, channels: int, hidden_size: int) -> None:
        super().__init__()
        self.layer = conv2d(channels, hidden_size, 1)

    def construct(self, x: Tensor) -> Tensor:
        return self.layer(x)


def glimpse(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """Queries (B, T, C), maps (B, C, H, W) and (B, D, H, W), bias (B, 1, H · W) -> (B, T, D)."""
    found = ops.matmul(query, ops.flatten(key, start_dim=2)) + bias
    places = ops.transpose(ops.flatten(value, start_dim=2), (0, 2, 1))
    return ops.matmul(ops.softmax(found, 2), places)


class ByContent(nn.Cell):
    """The characters so far (B, T) -> queries (B, T, hidden_size)."""

    def __init__(self, num_classes: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_classes, hidden_size)
        self.sequence_layer = nn.LSTM(hidden_size, hidden_size, num_layers=_LAYERS)

    def construct(self, characters: Tensor) -> Tensor:
        # The LSTM goes along the first axis, as MindOCR trained it: over the texts of a batch.
        found, _ = self.sequence_layer(self.embedding(characters))
        return found


class AlongRows(nn.Cell):
    """(B, C, H, W) -> the same shape: LSTMs, and two convolutions of what they find."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(hidden_size, hidden_size, num_layers=_LAYERS)
        self.mixer = nn.SequentialCell(
            [conv2d(hidden_size, hidden_size, 3), nn.ReLU(), conv2d(hidden_size, hidden_size, 3)]
        )

    def construct(self, x: Tensor) -> Tensor:
        _, channels, high, wide = x.shape
        rows = ops.reshape(ops.transpose(x, (0, 2, 3, 1)), (-1, wide, channels))
        # Along the first axis here too: from row to row, through all pictures of a batch.
        found, _ = self.rnn(rows)
        found = ops.reshape(found, (-1, high, wide, channels))
        return self.mixer(ops.transpose(found, (0, 3, 1, 2)))


class ByPlace(nn.Cell):
    """Maps and places (B, T) -> the key (B, C, H, W) and the queries (B, T, C)."""

    def __init__(self, steps: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(steps + 1, hidden_size)
        self.position_aware_module = AlongRows(hidden_size)

    def construct(self, x: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        return self.position_aware_module(x), self.embedding(places)


class Fusion(nn.Cell):
    """Two glimpses (…, C) -> one (…, C), gated by both."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear_layer = nn.Dense(2 * channels, 2 * channels)
        self.channels = channels

    def construct(self, one: Tensor, other: Tensor) -> Tensor:
        joint = self.linear_layer(ops.concat((one, other), -1))
        value, gate = ops.split(joint, self.channels, -1)
        return value * ops.sigmoid(gate)


class Decoder(nn.Cell):
    """Maps, their keys, the bias of the scores and the places -> probabilities (B, T, classes)."""

    def __init__(
        self, channels: int, num_classes: int, steps: int, hidden_size: int, start: int
    ) -> None:
        super().__init__()
        self.hybrid_decoder = ByContent(num_classes, hidden_size)
        self.position_decoder = ByPlace(steps, hidden_size)
        self.fusion_module = Fusion(channels)
        self.prediction = nn.Dense(channels, num_classes - 1)
        self.start, self.steps = start, steps

    def by_places(self, maps: Tensor, key: Tensor, bias: Tensor, places: Tensor) -> Tensor:
        """What is seen at each place, (B, T, C)."""
        place_key, queries = self.position_decoder(key, places)
        return glimpse(queries, place_key, maps, bias)

    def next(
        self, last: Tensor, by_place: Tensor, maps: Tensor, key: Tensor, bias: Tensor
    ) -> Tensor:
        """Probabilities (B, classes) of what follows the last character (B, 1), at a place where
        `by_place` (B, C) is seen."""
        # What an LSTM over the texts finds of one character takes no other character.
        by_content = glimpse(self.hybrid_decoder(last), key, maps, bias)
        return ops.softmax(self.prediction(self.fusion_module(by_content[:, 0], by_place)), -1)

    def construct(self, maps: Tensor, key: Tensor, bias: Tensor, places: Tensor) -> Tensor:
        by_place = self.by_places(maps, key, bias, places)
        last = ops.zeros((maps.shape[0], 1), mstype.int32) + self.start
        found: tuple[Tensor, ...] = ()
        for step in range(self.steps):
            character = self.next(last, by_place[:, step], maps, key, bias)
            found += (character,)
            last = ops.expand_dims(ops.argmax(character, -1).astype(mstype.int32), 1)
        return ops.stack(found, 1)


class Head(nn.Cell):
    """Maps (B, channels, H, W), which columns count (B, 1, W), places (B, T) -> probabilities."""

    def __init__(
        self, channels: int, num_classes: int, steps: int, hidden_size: int, start: int
    ) -> None:
        super().__init__()
        self.encoder = Reduce(channels, hidden_size)
        self.decoder = Decoder(channels, num_classes, steps, hidden_size, start)

    def see(self, maps: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The maps' key (B, hidden_size, H, W), and the bias (B, 1, H · W) of the scores."""
        rows = ops.tile(mask.astype(mstype.float32), (1, maps.shape[2], 1))
        bias = (1.0 - ops.reshape(rows, (-1, 1, maps.shape[2] * maps.shape[3]))) * -1e9
        return self.encoder(maps), bias

    def construct(self, maps: Tensor, mask: Tensor, places: Tensor) -> Tensor:
        key, bias = self.see(maps, mask)
        return self.decoder(maps, key, bias, places)


class RobustScanner(nn.Cell):
    """See `robustscanner`."""

    def __init__(
        self, num_classes: int, steps: int, hidden_size: int, start: int, in_channels: int
    ) -> None:
        super().__init__()
        self.backbone = ResNet31(in_channels, context=False)
        self.head = Head(CHANNELS, num_classes, steps, hidden_size, start)

    def construct(self, image: Tensor, valid_width_mask: Tensor, word_positions: Tensor) -> Tensor:
        return self.head(self.backbone(image), valid_width_mask, word_positions)


def robustscanner(
    num_classes: int = 93,
    steps: int = 40,
    hidden_size: int = 128,
    start: int = 91,
    in_channels: int = 3,
) -> RobustScanner:
    """RobustScanner: float32 (B, in_channels, H, W), which of the W / 4 columns hold the line,
    whole numbers (B, 1, W / 4), 1 or 0, and the places 0, 1, …, whole numbers (B, steps) ->
    probabilities (B, steps, num_classes - 1).

    The last class, padding, is never found. The publisher's pictures are 48×160 pixels. Its LSTMs
    go over the pictures of a batch, so that a picture gives something else behind others than
    alone. The characters are those it reads itself, in training mode too.

    Args:
        num_classes: characters, and those that stand for an unknown one, the ends and padding.
        steps: characters that a text may have.
        hidden_size: channels of the queries.
        start: the class that stands before the first character.
        in_channels: channels of the picture.
    """
    return RobustScanner(num_classes, steps, hidden_size, start, in_channels)
