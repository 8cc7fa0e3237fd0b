"""CRNN-seq2seq: street signs seen from four sides, read character by character with attention.

Source: official/cv/crnn_seq2seq_ocr of the MindSpore models repository, whose parameter names
these are: the convolutions of Shi et al., "An End-to-End Trainable Neural Network for Image-based
Sequence Recognition" (2015), and a decoder after Bahdanau et al., "Neural Machine Translation by
Jointly Learning to Align and Translate" (2015). Shapes: B pictures, T places, C channels.
"""

from __future__ import annotations

from mindspore import Parameter, Tensor, nn, ops
from mindspore import dtype as mstype
from mindspore.common.initializer import Uniform, initializer

from zoohub.networks.crnn_seq2seq_ocr.family import STEPS, VIEWS, sides_of
from zoohub.networks.layers.conv import conv2d
from zoohub.networks.layers.naming import name_parameters
from zoohub.networks.layers.norm import BatchNorm2d
from zoohub.networks.layers.recurrent import JointLSTM
from zoohub.networks.layers.sized import SizedNetwork
from zoohub.networks.lstm.network import JointLayer
from zoohub.networks.rare.network import GRU

START, END = 1, 2  # classes: before the first character, and behind the last
_DROPOUT = 0.1
_PUBLISHED_NAMES = (
    (r"(.+)\.rnn\.w_([fb]w)", r"\1.rnn.weight_\g<2>0"),
    (r"(.+)\.rnn\.b_([fb]w)", r"\1.rnn.bias_\g<2>0"),
    (r"(.+)\.gru\.(\w+)", r"\1.gru.\2_l0"),
)


class ConvReLU(nn.Cell):
    """A 3×3 convolution: (B, in_channels, H, W) -> (B, channels, H, W)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = conv2d(in_channels, channels, 3)

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu(self.conv(x))


class ConvNormReLU(nn.Cell):
    """The same normalised; `last`, a 2×2 one, which is a pixel shorter on both sides."""

    def __init__(self, in_channels: int, channels: int, last: bool = False) -> None:
        super().__init__()
        if last:
            self.conv = conv2d(in_channels, channels, 2, padding=0)
        else:
            self.conv = conv2d(in_channels, channels, 3)
        self.bn = BatchNorm2d(channels)

    def construct(self, x: Tensor) -> Tensor:
        return ops.relu(self.bn(self.conv(x)))


class CNN(nn.Cell):
    """A view (B, in_channels, 128, W) -> its columns (B, channels, W / 2)."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.convRelu1 = ConvReLU(in_channels, 64)
        self.convRelu2 = ConvReLU(64, 128)
        self.convBNRelu1 = ConvNormReLU(128, 256)
        self.convRelu3 = ConvReLU(256, 256)
        self.convBNRelu2 = ConvNormReLU(256, 384)
        self.convRelu4 = ConvReLU(384, 384)
        self.convBNRelu3 = ConvNormReLU(384, 384)
        self.convRelu5 = ConvReLU(384, 384)
        self.convBNRelu4 = ConvNormReLU(384, 384)
        self.convRelu6 = ConvReLU(384, 384)
        self.convBNRelu5 = ConvNormReLU(384, channels, last=True)
        self.halve = nn.MaxPool2d(2, 2)
        self.flatten = nn.MaxPool2d((2, 1), (2, 1))
        self.dropout = nn.Dropout(p=0.5)

    def construct(self, x: Tensor) -> Tensor:
        x = self.halve(self.convRelu1(x))
        x = self.flatten(self.convRelu2(x))
        x = self.flatten(self.convRelu3(self.convBNRelu1(x)))
        x = self.flatten(self.convRelu4(self.convBNRelu2(x)))
        x = self.flatten(self.convRelu5(self.convBNRelu3(x)))
        x = self.flatten(self.convRelu6(self.convBNRelu4(x)))
        x = self.convBNRelu5(ops.concat((x, ops.zeros_like(x[:, :, :, :1])), 3))
        return ops.squeeze(self.dropout(x), 2)


class PackedLayer(nn.Cell):
    """x (T, B, channels) -> the states of both directions (T, B, 2 * hidden).

    All weights are one parameter, as MindSpore's operator takes them on a CPU: of both directions
    in turn the inputs', the states' and the biases, then biases that only a GPU adds. Gates are in
    the order input, forget, candidate, output.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.channels, self.hidden = channels, hidden
        self.parts = [4 * hidden * size for size in (channels, channels, hidden, hidden, 1, 1)]
        shape = (sum(self.parts) + 8 * hidden, 1, 1)
        self.weight = Parameter(initializer(Uniform(hidden**-0.5), shape), name="weight")
        self.lstm = JointLSTM(channels, hidden)

    def _turned(self, weight: Tensor) -> Tensor:
        """(gates, C) in this order -> (C, gates) in that of `JointLSTM`."""
        entry, forget, candidate, output = ops.split(weight, self.hidden, 0)
        return ops.transpose(ops.concat((entry, candidate, forget, output), 0), (1, 0))

    def _run(self, x: Tensor, by_input: Tensor, by_state: Tensor, bias: Tensor) -> Tensor:
        gates = 4 * self.hidden
        joint = (
            self._turned(ops.reshape(by_input, (gates, self.channels))),
            self._turned(ops.reshape(by_state, (gates, self.hidden))),
        )
        bias = ops.reshape(self._turned(ops.reshape(bias, (gates, 1))), (gates,))
        start = ops.zeros((x.shape[1], self.hidden), x.dtype)
        states, _, _ = self.lstm(x, ops.concat(joint, 0), bias, start, start)
        return states

    def construct(self, x: Tensor) -> Tensor:
        flat = ops.reshape(self.weight, (-1,))
        pieces: tuple[Tensor, ...] = ()
        place = 0
        for count in self.parts:
            pieces += (flat[place : place + count],)
            place += count
        forward = self._run(x, pieces[0], pieces[2], pieces[4])
        backward = self._run(ops.flip(x, (0,)), pieces[1], pieces[3], pieces[5])
        return ops.concat((forward, ops.flip(backward, (0,))), 2)


class BidirectionalLSTM(nn.Cell):
    """x (T, B, channels) -> (T, B, hidden)."""

    def __init__(self, channels: int, hidden: int, ascend: bool) -> None:
        super().__init__()
        self.rnn = (JointLayer if ascend else PackedLayer)(channels, hidden)
        self.embedding = nn.Dense(2 * hidden, hidden)

    def construct(self, x: Tensor) -> Tensor:
        return self.embedding(self.rnn(x))


class Encoder(nn.Cell):
    """Views beside each other (B, in_channels, 128, 8 · T) -> what is seen at each place,
    (T, B, hidden)."""

    def __init__(self, in_channels: int, steps: int, hidden: int, ascend: bool) -> None:
        super().__init__()
        # The publisher has as many channels in all as a view has pixels in width.
        channels = 2 * steps
        self.cnn = CNN(in_channels, channels // VIEWS)
        self.lstm1 = BidirectionalLSTM(channels, hidden, ascend)
        self.lstm2 = BidirectionalLSTM(hidden, hidden, ascend)
        self.steps, self.channels = steps, channels

    def construct(self, x: Tensor) -> Tensor:
        _, colours, height, width = x.shape
        wide = width // VIEWS
        views = ops.transpose(ops.reshape(x, (-1, colours, height, VIEWS, wide)), (0, 3, 1, 2, 4))
        columns = self.cnn(ops.reshape(views, (-1, colours, height, wide)))
        columns = ops.reshape(columns, (-1, self.channels, self.steps))
        return self.lstm2(self.lstm1(ops.transpose(columns, (2, 0, 1))))


class AttentionReader(nn.Cell):
    """One character: the last one's class (B,), the last state (B, C), what is seen (B, T, C) ->
    logits (B, num_classes) and the state. Where it looks follows from the first two alone."""

    def __init__(self, num_classes: int, steps: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_classes, hidden)
        self.attn = nn.Dense(2 * hidden, steps)
        self.attn_combine = nn.Dense(2 * hidden, hidden)
        self.gru = GRU(hidden, hidden)
        self.out = nn.Dense(hidden, num_classes)
        self.dropout = nn.Dropout(p=_DROPOUT)

    def construct(self, last: Tensor, state: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        character = self.dropout(self.embedding(last))
        weights = ops.softmax(self.attn(ops.concat((character, state), 1)), 1)
        context = ops.squeeze(ops.bmm(ops.expand_dims(weights, 1), seen), 1)
        state = self.gru(ops.relu(self.attn_combine(ops.concat((character, context), 1))), state)
        return self.out(state), state


class Decoder(nn.Cell):
    """What is seen (T, B, C) -> probabilities (B, T, num_classes); each step's best is the next's
    last character, and class 1 the first's."""

    def __init__(self, num_classes: int, steps: int, hidden: int) -> None:
        super().__init__()
        self.decoder = AttentionReader(num_classes, steps, hidden)
        self.steps = steps

    def construct(self, seen: Tensor) -> Tensor:
        seen = ops.transpose(seen, (1, 0, 2))
        state = ops.zeros_like(seen[:, 0])
        last = ops.full((seen.shape[0],), START, dtype=mstype.int32)
        found: tuple[Tensor, ...] = ()
        for _ in range(self.steps):
            logits, state = self.decoder(last, state, seen)
            found += (logits,)
            last = ops.argmax(logits, 1).astype(mstype.int32)
        return ops.softmax(ops.stack(found, 1), 2)


class CRNNSeq2Seq(SizedNetwork):
    """See `crnn_seq2seq_ocr`."""

    def __init__(
        self, num_classes: int, hidden: int, steps: int, in_channels: int, ascend: bool
    ) -> None:
        super().__init__("crnn_seq2seq_ocr", sides_of({"steps": steps}))
        self.encoder = Encoder(in_channels, steps, hidden, ascend)
        self.decoder = Decoder(num_classes, steps, hidden)

    def construct(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x))


def crnn_seq2seq_ocr(
    num_classes: int = 10000,
    hidden: int = 128,
    steps: int = STEPS,
    in_channels: int = 3,
    ascend_layers: int = 0,
) -> CRNNSeq2Seq:
    """CRNN-seq2seq: float32 (B, in_channels, 128, 8 · steps) -> probabilities (B, steps,
    num_classes).

    A picture has four views of a sign beside each other, as those of FSNS. Class 1 stands before
    the first character, class 2 for the end of the text. The characters are those it reads itself,
    in training mode too.

    Args:
        num_classes: characters, those that stand for none, and those that no character has yet.
        hidden: states of each direction of the encoder's two LSTMs, and of the decoder.
        steps: characters that a text may have, and its end; places that are looked at.
        in_channels: channels of the picture.
        ascend_layers: 1 where the weights of each LSTM lie as Ascend's files have them: of each
            direction a matrix and a bias; 0 where all are one parameter, as on other devices.

    Raises:
        ValueError: another number of `ascend_layers`, an odd number of `steps`, or no `hidden`.
    """
    if hidden < 1:
        raise ValueError(f"hidden is a whole number above 0, not {hidden}")
    if ascend_layers not in (0, 1):
        raise ValueError(f"ascend_layers is 0 or 1, not {ascend_layers}: each LSTM is one layer")
    if steps < 2 or steps % 2:
        raise ValueError(f"steps is an even number above 0, not {steps}: {VIEWS} views share it")
    net = CRNNSeq2Seq(num_classes, hidden, steps, in_channels, ascend_layers == 1)
    name_parameters(net, _PUBLISHED_NAMES)
    return net
