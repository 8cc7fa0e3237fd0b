"""CRNN: names and arguments."""

from __future__ import annotations

from zoohub.checkpoint.layout import Layout
from zoohub.networks.family import NUMBER, Arguments, Family


def _stem(arguments: Arguments) -> str:
    return "backbone.conv1" if arguments.get("backbone") == "vgg7" else "backbone.conv1_1"


SIDES = (32, None)

FAMILY = Family(
    name="crnn",
    task="scene-text-recognition",
    builder="crnn",
    arguments={
        "backbone": str,
        "num_classes": int,
        "hidden": int,
        "in_channels": int,
        "width": NUMBER,
    },
    layouts={"mindocr": Layout()},
    head="head.dense1",
    stem=_stem,
    raw=("characters",),
    outputs="zoohub.outputs.characters:CTC",
    loss="zoohub.networks.layers.ctc:columns_loss",
    sides=SIDES,
)
