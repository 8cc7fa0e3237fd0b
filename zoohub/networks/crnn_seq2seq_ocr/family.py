"""CRNN-seq2seq: names, arguments, and what older published files call the same parameters."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import Arguments, Family
from zoohub.networks.picture_sizes import Sides

HEIGHT = 128
VIEWS = 4  # beside each other in a picture, all of the same sign
STEPS = 64


def sides_of(arguments: Arguments) -> Sides:
    """A place of the attention is two pixels of each view's width."""
    return HEIGHT, 2 * VIEWS * int(str(arguments.get("steps", STEPS)))


# The first releases call Ascend's operator themselves, whose matrices are (inputs, gates).
_MODELS = Layout(
    rules=((r"^(.+\.gru\.(?:weight|bias)_[ih])$", r"\1h_l0"),),
    transposed=(r".+\.gru\.weight_[ih]",),
)

FAMILY = Family(
    name="crnn_seq2seq_ocr",
    task="scene-text-recognition",
    builder="crnn_seq2seq_ocr",
    arguments={
        "num_classes": int,
        "hidden": int,
        "steps": int,
        "in_channels": int,
        "ascend_layers": int,
    },
    layouts={"models": _MODELS},
    head="decoder.decoder.embedding decoder.decoder.out",
    stem="encoder.cnn.convRelu1",
    sizes={"ascend_layers": ("encoder.lstm1.rnn.weight_fw{}", None)},
    raw=("characters",),
    outputs="zoohub.outputs.characters:CRNN_SEQ2SEQ",
    sides=sides_of,
    parts="parts:reading_parts",
    exports_parts=False,
    compiles_parts=True,
)
