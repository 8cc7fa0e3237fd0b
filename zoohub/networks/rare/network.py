"""RARE: a line of text, read character by character with attention, as MindOCR publishes it.

Source: Shi et al., "Robust Scene Text Recognition with Automatic Rectification" (2016), without
the rectification. Parameter names are those of MindOCR.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore import dtype as mstype
from mindspore.common.initializer import Uniform, initializer

from zoohub.networks.crnn.backbones import CHANNELS, Columns, ResNet34, scaled
from zoohub.networks.layers.sized import SizedNetwork
from zoohub.networks.rare.family import SIDES


class GRU(nn.Cell):
    """One step of a GRU: inputs (B, C) and the last state (B, H) -> the state (B, H)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        init = Uniform(hidden**-0.5)

        def made(name: str, *shape: int) -> Parameter:
            return Parameter(initializer(init, shape), name=name)

        self.weight_ih = made("weight_ih", 3 * hidden, channels)
        self.weight_hh = made("weight_hh", 3 * hidden, hidden)
        self.bias_ih = made("bias_ih", 3 * hidden)
        self.bias_hh = made("bias_hh", 3 * hidden)
        self.hidden = hidden

    def construct(self, x: Tensor, state: Tensor) -> Tensor:
        entered = ops.matmul(x, self.weight_ih.T) + self.bias_ih
        kept = ops.matmul(state, self.weight_hh.T) + self.bias_hh
        reset, update, candidate = ops.split(entered, self.hidden, 1)
        own_reset, own_update, own_candidate = ops.split(kept, self.hidden, 1)
        reset, update = ops.sigmoid(reset + own_reset), ops.sigmoid(update + own_update)
        candidate = ops.tanh(candidate + reset * own_candidate)
        return candidate + update * (state - candidate)


class Attention(nn.Cell):
    """Columns (B, W, C), the last state (B, H) and character (B, classes) -> the state (B, H)."""

    def __init__(self, channels: int, hidden: int, num_classes: int) -> None:
        super().__init__()
        self.i2h = nn.Dense(channels, hidden, has_bias=False)
        self.h2h = nn.Dense(hidden, hidden)
        self.score = nn.Dense(hidden, 1, has_bias=False)
        self.rnn = GRU(channels + num_classes, hidden)

    def construct(self, columns: Tensor, seen: Tensor, state: Tensor, character: Tensor) -> Tensor:
        """`seen` are the columns through `i2h`, which no step changes."""
        looked = ops.tanh(seen + ops.expand_dims(self.h2h(state), 1))
        weights = ops.softmax(self.score(looked), 1)
        context = ops.sum(weights * columns, 1)
        return self.rnn(ops.concat((context, character), 1), state)


class Reader(nn.Cell):
    """Columns (W, B, C) -> probabilities (B, steps, num_classes); each step's best is the next's
    last character, and class 0 the first's."""

    def __init__(self, channels: int, hidden: int, num_classes: int, steps: int) -> None:
        super().__init__()
        self.attention_cell = Attention(channels, hidden, num_classes)
        self.generator = nn.Dense(hidden, num_classes)
        self.hidden, self.num_classes, self.steps = hidden, num_classes, steps

    def construct(self, x: Tensor) -> Tensor:
        columns = ops.transpose(x, (1, 0, 2))
        seen = self.attention_cell.i2h(columns)
        batch = columns.shape[0]
        state = ops.zeros((batch, self.hidden), columns.dtype)
        last = ops.zeros((batch,), mstype.int32)
        on, off = Tensor(1.0, mstype.float32), Tensor(0.0, mstype.float32)
        logits: tuple[Tensor, ...] = ()
        for _ in range(self.steps):
            character = ops.one_hot(last, self.num_classes, on, off)
            state = self.attention_cell(columns, seen, state, character)
            step = self.generator(state)
            logits += (step,)
            last = ops.argmax(step, 1).astype(mstype.int32)
        return ops.softmax(ops.stack(logits, 1), 2)

    def taught(self, x: Tensor, labels: Tensor) -> Tensor:
        """Columns and classes int32 (B, L) -> logits (B, L, num_classes): each step is given the
        class of the one before it."""
        columns = ops.transpose(x, (1, 0, 2))
        seen = self.attention_cell.i2h(columns)
        batch, length = labels.shape
        state = ops.zeros((batch, self.hidden), columns.dtype)
        on, off = Tensor(1.0, mstype.float32), Tensor(0.0, mstype.float32)
        given = ops.one_hot(labels, self.num_classes, on, off)
        start = ops.one_hot(ops.zeros((batch,), mstype.int32), self.num_classes, on, off)
        logits: tuple[Tensor, ...] = ()
        for step in range(length):
            character = start if step == 0 else given[:, step - 1]
            state = self.attention_cell(columns, seen, state, character)
            logits += (self.generator(state),)
        return ops.stack(logits, 1)


class RARE(SizedNetwork):
    """See `rare`."""

    def __init__(self, backbone: ResNet34, channels: int, neck_hidden: int, reader: Reader) -> None:
        super().__init__("rare", SIDES)
        self.backbone = backbone
        self.neck = Columns(channels, neck_hidden)
        self.head = reader

    def construct(self, x: Tensor) -> Tensor:
        return self.head(self.neck(self.backbone(x)))


def rare(
    num_classes: int = 38,
    hidden: int = 256,
    steps: int = 26,
    neck_hidden: int = 256,
    in_channels: int = 3,
    width: float = 1.0,
) -> RARE:
    """RARE on ResNet-34: float32 (B, in_channels, 32, W) -> probabilities (B, steps, num_classes).

    Class 0 stands before the first character, class 1 for the end of the text. The characters are
    those it reads itself, in training mode too.

    Args:
        num_classes: characters, and the two.
        hidden: states of the reader.
        steps: characters that a text may have, and its end.
        neck_hidden: states of each LSTM in each direction.
        in_channels: channels of the picture.
        width: how many times as many channels the backbone has as published.
    """
    reader = Reader(2 * neck_hidden, hidden, num_classes, steps)
    return RARE(ResNet34(in_channels, width), scaled(CHANNELS, width), neck_hidden, reader)
