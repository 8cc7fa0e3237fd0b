"""The halves of CRNN-seq2seq, asked once a picture, and once a character.

The network itself reads all its characters at one go, also where a text has ended: a graph of 64
steps.
"""

from __future__ import annotations

from collections.abc import Mapping

from mindspore import Tensor, nn, ops
from mindspore import dtype as mstype

from zoohub.networks.crnn_seq2seq_ocr.family import HEIGHT, VIEWS
from zoohub.networks.crnn_seq2seq_ocr.network import END, START, CRNNSeq2Seq
from zoohub.networks.family import Part, Taken
from zoohub.networks.layers.blank_texts import BlankTexts


class See(nn.Cell):
    """`image` (B, in_channels, 128, 8 · T) -> `seen` (B, T, C), the `state` (B, C) to start from,
    and `blank`, as `BlankTexts`."""

    def __init__(self, net: CRNNSeq2Seq) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        self.blank = BlankTexts(net.decoder.steps, START, END)

    def construct(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        seen = ops.transpose(self.net.encoder(image), (1, 0, 2))
        return seen, ops.zeros_like(seen[:, 0]), self.blank(image)


class NextCharacter(nn.Cell):
    """`seen`, the last `state` and the text so far, `characters` int32 (B, N) -> `probabilities`
    float32 (B, num_classes) of what comes next, and the state after it."""

    def __init__(self, net: CRNNSeq2Seq, places: int, hidden: int) -> None:
        super().__init__(auto_prefix=False)
        self.net = net
        self.set_inputs(
            Tensor(shape=(None, places, hidden), dtype=mstype.float32),
            Tensor(shape=(None, hidden), dtype=mstype.float32),
            Tensor(shape=(None, None), dtype=mstype.int32),
        )

    def construct(self, seen: Tensor, state: Tensor, characters: Tensor) -> tuple[Tensor, Tensor]:
        logits, state = self.net.decoder.decoder(characters[:, -1], state, seen)
        return ops.softmax(logits, -1), state


def reading_parts(net: CRNNSeq2Seq) -> Mapping[str, Part]:
    """`see` and `step`, as `zoohub.tasks.text_recognition.stepwise` asks for them."""
    steps, hidden = net.decoder.steps, net.decoder.decoder.gru.hidden
    channels = net.encoder.cnn.convRelu1.conv.in_channels
    image = Taken("image", ("batch", channels, HEIGHT, 2 * VIEWS * steps), "float32")
    seen = Taken("seen", ("batch", steps, hidden), "float32")
    state = Taken("state", ("batch", hidden), "float32")
    characters = Taken("characters", ("batch", "length"))
    return {
        "see": Part(See(net), (image,), ("seen", "state", "blank")),
        "step": Part(
            NextCharacter(net, steps, hidden),
            (seen, state, characters),
            ("probabilities", "next_state"),
        ),
    }
